"""Export des temps de parcours en GeoTIFF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from rasterio.transform import from_origin

from accessibilite.trame import Trame
from donnees_geo.ecriture import ecrire_atomique

#: Valeur des mailles sans temps : un temps n'est jamais négatif.
SANS_DONNEE: Final = -1.0


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
        ecrire_atomique(chemin) as provisoire,
        rasterio.open(
            provisoire,
            "w",
            driver="GTiff",
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
            sortie.build_overviews(apercus, rasterio.enums.Resampling.nearest)
    return chemin
