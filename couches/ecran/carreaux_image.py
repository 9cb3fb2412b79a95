"""Carreaux dessinés en une seule image, à l'échelle de l'écran.

Vingt mille polygones vectoriels figent un navigateur ; une image de la taille de la carte se
dessine en quelques dizaines de millisecondes et reste nette à tous les zooms.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from couches.ecran.fond import Surfaces, construire_surfaces
from couches.ecran.mercator import Emprise, vers_pixels
from couches.ecran.trace import remplir_polygones
from couches.styles import INACCESSIBLE, SANS_DONNEE, Styles, lire_couleur
from donnees_geo.reseau import indices_sommets

#: Valeurs de pixels au-delà des classes : rien, hachure, fond de hachure, point, fond pâle.
_RIEN: Final = 0
_HACHURE, _FOND_HACHURE, _POINT, _FOND_POINT = 250, 251, 252, 253
PAS_HACHURE_PX: Final = 7
PAS_POINT_PX: Final = 6


@dataclass(frozen=True)
class GrilleImage:
    """Carreaux prêts à dessiner.

    Attributes
    ----------
    surfaces
        Polygones en Mercator (plusieurs par carreau si sa géométrie est multiple).
    carreau
        int64[polygones], ligne du carreau.
    """

    surfaces: Surfaces
    carreau: NDArray[np.int64]


def construire_grille(geometries: NDArray[np.object_], crs: str) -> GrilleImage:
    """Projeter les carreaux ; une géométrie vide n'est pas dessinée."""
    parties, rang = shapely.get_parts(geometries, return_index=True)
    garde = (shapely.get_dimensions(parties) == 2) & ~shapely.is_empty(parties)
    return GrilleImage(construire_surfaces(parties[garde], crs), rang[garde].astype(np.int64))


def dessiner_carreaux(
    grille: GrilleImage,
    classes: NDArray[np.uint8],
    styles: Styles,
    emprise: Emprise,
    largeur: int,
    hauteur: int,
) -> bytes:
    """Image PNG à palette des carreaux classés, transparente ailleurs.

    Parameters
    ----------
    grille
        Carreaux.
    classes
        uint8[carreaux], de ``styles.classer_temps``.
    styles
        Rampe.
    emprise
        Mètres Mercator couverts par l'image.
    largeur, hauteur
        Pixels.
    """
    s, (ouest, sud, est, nord) = grille.surfaces, emprise
    garde = np.flatnonzero(
        (s.boites[:, 0] <= est)
        & (s.boites[:, 2] >= ouest)
        & (s.boites[:, 1] <= nord)
        & (s.boites[:, 3] >= sud)
    )
    image = np.zeros((hauteur, largeur), dtype=np.uint8)
    rangs, polygones = indices_sommets(s.polygones, garde)
    sommets, anneaux = indices_sommets(s.anneaux, rangs)
    x, y = vers_pixels(s.x[sommets], s.y[sommets], emprise, largeur, hauteur)
    # 0 est la transparence : les classes sont décalées d'un rang.
    valeurs = classes[grille.carreau[garde]]
    valeurs = np.where(valeurs >= INACCESSIBLE, valeurs, valeurs + 1).astype(np.uint8)
    remplir_polygones(image, polygones, anneaux, x, y, valeurs)
    _appliquer_trames(image, emprise)
    return _encoder(image, styles)


def _appliquer_trames(image: NDArray[np.uint8], emprise: Emprise) -> None:
    """Hachures et semis, calés sur le terrain pour ne pas sauter quand la carte glisse."""
    hauteur, largeur = image.shape
    metre = largeur / (emprise[2] - emprise[0])
    i0, j0 = round(-emprise[3] * metre), round(emprise[0] * metre)
    i = (np.arange(hauteur) + i0)[:, None]
    j = (np.arange(largeur) + j0)[None, :]
    hachure = (i + j) % PAS_HACHURE_PX < 2
    point = (i % PAS_POINT_PX < 2) & (j % PAS_POINT_PX < 2)
    for valeur, trame, plein, vide in (
        (INACCESSIBLE, hachure, _HACHURE, _FOND_HACHURE),
        (SANS_DONNEE, point, _POINT, _FOND_POINT),
    ):
        dedans = image == valeur
        image[dedans & trame] = plein
        image[dedans & ~trame] = vide


def _encoder(image: NDArray[np.uint8], styles: Styles) -> bytes:
    palette = np.zeros((256, 3), dtype=np.uint8)
    alpha = np.full(256, 255, dtype=np.uint8)
    alpha[_RIEN], alpha[_FOND_POINT] = 0, 0
    for rang, couleur in enumerate(styles.couleurs_temps):
        palette[rang + 1] = lire_couleur(couleur)
    palette[_HACHURE] = lire_couleur(styles.inaccessible_trait)
    palette[_FOND_HACHURE] = lire_couleur(styles.inaccessible_fond)
    palette[_POINT] = lire_couleur(styles.sans_donnee_point)
    sortie = Image.fromarray(image)
    sortie.putpalette(palette.tobytes())
    tampon = io.BytesIO()
    sortie.save(tampon, format="PNG", compress_level=2, transparency=alpha.tobytes())
    return tampon.getvalue()
