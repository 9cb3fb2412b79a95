"""Noms de communes sur la carte : taille selon la population, jamais l'un sur l'autre."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from couches.ecran.mercator import DEMI_MONDE_M, Emprise, resolution_m
from couches.styles import lire_couleur

#: Population au moins égale → (taille en pixels, graisse).
RANGS: Final = ((20_000.0, 19, 700), (8_000.0, 16, 600), (2_000.0, 14, 600), (0.0, 12, 400))
#: Décalages essayés, en part de la largeur et de la hauteur du nom.
DECALAGES: Final = (
    *((0.0, 0.0), (0.0, -0.9), (0.0, 0.9), (0.55, 0.0), (-0.55, 0.0)),
    *((0.45, -0.8), (-0.45, -0.8), (0.45, 0.8), (-0.45, 0.8)),
)
HALO_PX: Final = 2
SURECHANTILLON: Final = 3
Fonte = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Police:
    """Police des noms : un fichier par graisse, ou celle de Pillow si elle manque.

    Attributes
    ----------
    fichiers
        Graisse → fichier ; une graisse absente prend la plus proche.
    """

    fichiers: tuple[tuple[int, Path], ...] = ()

    def fonte(self, taille: float, graisse: int) -> Fonte:
        """Police à la taille donnée, pixels."""
        return _ouvrir(self.fichiers, round(taille), graisse)


@lru_cache(maxsize=64)
def _ouvrir(fichiers: tuple[tuple[int, Path], ...], taille: int, graisse: int) -> Fonte:
    if not fichiers:
        return ImageFont.load_default(taille)
    _, fichier = min(fichiers, key=lambda f: abs(f[0] - graisse))
    return ImageFont.truetype(str(fichier), taille)


@dataclass(frozen=True)
class Etiquettes:
    """Noms à placer.

    Attributes
    ----------
    textes
        Noms.
    x, y
        float64[n], point d'accroche, mètres Mercator.
    poids
        float64[n], population ; NaN : inconnue, comptée comme petite.
    """

    textes: tuple[str, ...]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    poids: NDArray[np.float64]
    _placees: dict[tuple[float, float, int], list[EtiquettePlacee]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _verrou: Lock = field(default_factory=Lock, repr=False, compare=False)


@dataclass(frozen=True)
class EtiquettePlacee:
    """Un nom placé à un zoom : centre en mètres Mercator, demi-dimensions et corps en pixels."""

    texte: str
    x: float
    y: float
    demi_largeur: float
    demi_hauteur: float
    taille: float
    graisse: int


def rang_etiquette(poids: float) -> tuple[int, int]:
    """Taille (pixels) et graisse du nom d'une commune de cette population."""
    valeur = 0.0 if np.isnan(poids) else poids
    return next((taille, graisse) for seuil, taille, graisse in RANGS if valeur >= seuil)


def placer_etiquettes(
    etiquettes: Etiquettes, police: Police, zoom: float, echelle: float
) -> list[EtiquettePlacee]:
    """Placer les noms d'un zoom, les plus peuplées d'abord ; ceux qui gêneraient sont omis.

    Le placement vaut pour tout le territoire, non pour l'image : un nom ne saute pas quand la carte
    glisse. Il est gardé d'un appel à l'autre.

    Parameters
    ----------
    etiquettes, police
        Noms et police.
    zoom
        Niveau de zoom (tuiles de 256 pixels).
    echelle
        Agrandissement.
    """
    cle = (zoom, echelle, len(police.fichiers))
    with etiquettes._verrou:
        deja = etiquettes._placees.get(cle)
        if deja is None:
            deja = _placer(etiquettes, police, zoom, echelle)
            etiquettes._placees[cle] = deja
        return deja


def _placer(
    etiquettes: Etiquettes, police: Police, zoom: float, echelle: float
) -> list[EtiquettePlacee]:
    metre = 1.0 / resolution_m(zoom)
    px = (etiquettes.x + DEMI_MONDE_M) * metre
    py = (DEMI_MONDE_M - etiquettes.y) * metre
    # En salle (noms agrandis) rien ne doit passer sous la taille lisible.
    reduction = 1.0 if zoom >= 12 or echelle > 1 else 0.9
    poids = np.nan_to_num(etiquettes.poids, nan=0.0)
    prises = np.empty((0, 4))
    placees = []
    for i in np.lexsort((np.arange(poids.size), -poids)):
        taille, graisse = rang_etiquette(float(etiquettes.poids[i]))
        corps = taille * echelle * reduction
        gauche, haut, droite, bas = police.fonte(corps, graisse).getbbox(etiquettes.textes[i])
        # À petite échelle les noms s'écartent davantage, pour laisser voir le thème.
        marge = (9 if zoom < 12 else 4) * echelle
        dl, dh = (droite - gauche) / 2 + HALO_PX + marge, (bas - haut) / 2 + HALO_PX + marge / 2
        for ex, ey in DECALAGES:
            cx, cy = px[i] + ex * 2 * dl, py[i] + ey * 2 * dh
            boite = np.array([cx - dl, cy - dh, cx + dl, cy + dh])
            libre = not (
                (prises[:, 0] < boite[2])
                & (prises[:, 2] > boite[0])
                & (prises[:, 1] < boite[3])
                & (prises[:, 3] > boite[1])
            ).any()
            if libre:
                prises = np.vstack([prises, boite])
                x, y = cx / metre - DEMI_MONDE_M, DEMI_MONDE_M - cy / metre
                placees.append(EtiquettePlacee(etiquettes.textes[i], x, y, dl, dh, corps, graisse))
                break
    return placees


def dessiner_etiquettes(
    placees: list[EtiquettePlacee],
    emprise: Emprise,
    largeur: int,
    hauteur: int,
    police: Police,
    couleur: str,
    halo: str,
) -> Image.Image | None:
    """Calque transparent des noms visibles dans ``emprise``, ou ``None`` s'il n'y en a pas."""
    ouest, _, est, nord = emprise
    metre = largeur / (est - ouest)
    calque: Image.Image | None = None
    for etiquette in placees:
        x, y = (etiquette.x - ouest) * metre, (nord - etiquette.y) * metre
        dl, dh = etiquette.demi_largeur, etiquette.demi_hauteur
        if not (-dl < x < largeur + dl and -dh < y < hauteur + dh):
            continue
        if calque is None:
            calque = Image.new("RGBA", (largeur, hauteur), (*lire_couleur(halo), 0))
        nom = _dessiner_nom(
            etiquette.texte, police, etiquette.taille, etiquette.graisse, couleur, halo
        )
        _poser(calque, nom, round(x - nom.width / 2), round(y - nom.height / 2))
    return calque


@lru_cache(maxsize=4096)
def _dessiner_nom(
    texte: str, police: Police, taille: float, graisse: int, couleur: str, halo: str
) -> Image.Image:
    """Nom et son halo, dessinés en grand puis réduits : les lettres gardent leur espacement."""
    fonte = police.fonte(taille * SURECHANTILLON, graisse)
    bord = HALO_PX * SURECHANTILLON
    gauche, haut, droite, bas = fonte.getbbox(texte, anchor="ls", stroke_width=bord)
    image = Image.new(
        "RGBA",
        (int(droite - gauche) + 2 * SURECHANTILLON, int(bas - haut) + 2 * SURECHANTILLON),
        (*lire_couleur(halo), 0),
    )
    ImageDraw.Draw(image).text(
        (SURECHANTILLON - gauche, SURECHANTILLON - haut),
        texte,
        font=fonte,
        anchor="ls",
        fill=(*lire_couleur(couleur), 255),
        stroke_width=bord,
        stroke_fill=(*lire_couleur(halo), 240),
    )
    return image.reduce(SURECHANTILLON)


def _poser(calque: Image.Image, nom: Image.Image, x: int, y: int) -> None:
    """Composer un nom sur le calque, coupé aux bords."""
    gauche, haut = max(0, -x), max(0, -y)
    droite = min(nom.width, calque.width - x)
    bas = min(nom.height, calque.height - y)
    if gauche < droite and haut < bas:
        visible = nom.crop((gauche, haut, droite, bas))
        calque.alpha_composite(visible, (max(0, x), max(0, y)))
