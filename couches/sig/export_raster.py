"""Export des temps de parcours en GeoTIFF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.io import DatasetWriter, MemoryFile
from rasterio.transform import from_origin

from accessibilite.rues.trame import Trame
from couches.styles import Styles, classer_temps, lire_couleur
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import ErreurDonnees

#: Valeur des mailles sans temps : un temps n'est jamais négatif.
SANS_DONNEE: Final = -1.0
#: Raster d'accès, en minutes entamées : codes hors des durées.
MINUTES_MAX: Final = 250
MINUTES_INACCESSIBLE: Final = 254
MINUTES_SANS_DONNEE: Final = 255
#: Maille du raster d'accès, mètres (un carreau de 200 m en compte seize).
PAS_ACCES_M: Final = 50.0


def exporter_temps_raster(
    trame: Trame, crs: str, chemin: Path, attributs: Mapping[str, str] | None = None
) -> Path:
    """Écrire un raster de temps (secondes) en GeoTIFF compressé, avec aperçus.

    Parameters
    ----------
    trame
        Temps en secondes, NaN sans temps ; lignes du sud au nord.
    crs
        CRS métrique de la trame.
    chemin
        Fichier ``.tif``.
    attributs
        Étiquettes écrites dans le fichier (mode, hypothèses, sources).

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire.
    """
    connues = np.where(np.isfinite(trame.valeurs), trame.valeurs, SANS_DONNEE)
    valeurs = np.flipud(connues).astype(np.float32)
    lignes, colonnes = valeurs.shape
    demi = trame.pas_m / 2
    nord = trame.sud + (lignes - 1) * trame.pas_m + demi
    with (
        _ouvrir(
            chemin,
            width=colonnes,
            height=lignes,
            count=1,
            dtype="float32",
            crs=crs,
            transform=from_origin(trame.ouest - demi, nord, trame.pas_m, trame.pas_m),
            nodata=SANS_DONNEE,
            compress="deflate",
            predictor=3,
            tiled=True,
        ) as sortie,
    ):
        sortie.write(valeurs, 1)
        sortie.set_band_description(1, "temps de parcours (s)")
        sortie.units = ("s",)
        sortie.update_tags(**(attributs or {}))
        # GDAL refuse un aperçu plus petit qu'une maille.
        apercus = [facteur for facteur in (2, 4, 8) if facteur < min(lignes, colonnes)]
        if apercus:
            sortie.build_overviews(apercus, Resampling.nearest)
    return chemin


@contextmanager
def _ouvrir(chemin: Path, **profil: Any) -> Iterator[DatasetWriter]:
    """GeoTIFF composé en mémoire, écrit d'un bloc : GDAL s'arrête net sur un disque plein."""
    with MemoryFile() as memoire:
        with memoire.open(driver="GTiff", **profil) as sortie:
            yield sortie
        contenu = memoire.read()
    with ecrire_atomique(chemin) as provisoire:
        provisoire.write_bytes(contenu)


def exporter_acces_raster(
    carreaux: NDArray[np.object_],
    temps_s: NDArray[np.float64],
    crs: str,
    chemin: Path,
    styles: Styles,
    attributs: Mapping[str, str] | None = None,
) -> Path:
    """Écrire les temps d'accès des carreaux en GeoTIFF à palette, en minutes entamées.

    Une minute commencée compte : un temps de 15 min 00 s vaut 15, de 15 min 01 s, 16 ; un seuil en
    minutes sépare donc les mêmes carreaux que le temps exact. La palette a les couleurs et les
    classes de l'écran.

    Parameters
    ----------
    carreaux
        object[n], polygones dans ``crs``.
    temps_s
        float64[n], secondes ; ``inf`` inaccessible, NaN sans donnée.
    crs
        CRS métrique.
    chemin
        Fichier ``.tif``.
    styles
        Palette et classes.
    attributs
        Étiquettes écrites dans le fichier.

    Raises
    ------
    ErreurDonnees
        Aucun carreau, ou fichier impossible à écrire ; l'ancien est intact.
    """
    if carreaux.size == 0:
        raise ErreurDonnees("Il n'y a aucun carreau à écrire.", objet=chemin)
    ouest, sud, est, nord = shapely.total_bounds(carreaux)
    pas = PAS_ACCES_M
    ouest, nord = np.floor(ouest / pas) * pas, np.ceil(nord / pas) * pas
    colonnes, lignes = int(np.ceil((est - ouest) / pas)), int(np.ceil((nord - sud) / pas))
    transformation = from_origin(ouest, nord, pas, pas)
    valeurs = rasterize(
        zip(carreaux, en_minutes(temps_s).tolist(), strict=True),
        out_shape=(lignes, colonnes),
        transform=transformation,
        fill=MINUTES_SANS_DONNEE,
        dtype="uint8",
    )
    with (
        _ouvrir(
            chemin,
            width=colonnes,
            height=lignes,
            count=1,
            dtype="uint8",
            crs=crs,
            transform=transformation,
            nodata=MINUTES_SANS_DONNEE,
            compress="deflate",
            tiled=True,
            blockxsize=256,
            blockysize=256,
        ) as sortie,
    ):
        sortie.write(valeurs, 1)
        sortie.write_colormap(1, _palette(styles))
        sortie.set_band_description(1, "temps d'accès (minutes entamées)")
        sortie.units = ("min",)
        sortie.update_tags(
            **{
                "VALEUR_254": "inaccessible",
                "VALEUR_255": "sans donnée ou inhabité",
                "VALEUR_250": "250 minutes ou plus",
                **(attributs or {}),
            }
        )
        # Un aperçu au plus proche voisin n'invente pas de valeur entre deux codes.
        apercus = [f for f in (2, 4, 8, 16) if f < min(lignes, colonnes)]
        sortie.build_overviews(apercus, Resampling.nearest)
    return chemin


def en_minutes(temps_s: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Minutes entamées, ``MINUTES_INACCESSIBLE`` ou ``MINUTES_SANS_DONNEE``."""
    finis = np.isfinite(temps_s)
    minutes = np.full(temps_s.size, MINUTES_INACCESSIBLE, dtype=np.uint8)
    # Au millionième près : 900,0000001 s est un arrondi de calcul, pas une minute entamée.
    minutes[finis] = np.clip(np.ceil(temps_s[finis] / 60 - 1e-6), 0, MINUTES_MAX).astype(np.uint8)
    minutes[np.isnan(temps_s)] = MINUTES_SANS_DONNEE
    return minutes


def _palette(styles: Styles) -> dict[int, tuple[int, int, int, int]]:
    classes = classer_temps(60.0 * np.arange(MINUTES_MAX + 1), styles)
    palette = {
        minute: (*lire_couleur(styles.couleurs_temps[int(classe)]), 255)
        for minute, classe in enumerate(classes)
    }
    palette[MINUTES_INACCESSIBLE] = (*lire_couleur(styles.inaccessible_trait), 255)
    palette[MINUTES_SANS_DONNEE] = (255, 255, 255, 0)
    return palette
