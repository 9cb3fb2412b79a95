"""Altitudes lues dans un modèle numérique de terrain (GeoTIFF ou autre raster de GDAL)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyproj
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.transform import from_origin
from rasterio.windows import Window

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.reseau import PONT, TUNNEL, ReseauRues

#: Côté des tuiles lues d'un coup, en pixels : un grand raster n'est jamais chargé en entier.
COTE_TUILE_PX: Final = 2048
#: Valeur des pixels sans altitude dans les reliefs assemblés ici.
SANS_DONNEE: Final = -99999.0

Reels = NDArray[np.float64]


def echantillonner_altitudes(mnt: Path, x: Reels, y: Reels, crs: str) -> NDArray[np.float32]:
    """Altitude de points, par interpolation bilinéaire entre centres de pixels.

    Parameters
    ----------
    mnt
        Raster à une bande d'altitudes en mètres, dans n'importe quel CRS.
    x, y
        float64[n], coordonnées dans ``crs``.
    crs
        CRS des points.

    Returns
    -------
    ndarray
        float32[n], mètres ; NaN hors du raster ou à côté d'un pixel sans donnée.

    Raises
    ------
    ErreurDonnees
        Fichier absent ou illisible, raster sans CRS, ou aucun point dans le raster.
    """
    if not mnt.is_file():
        raise ErreurDonnees(
            "Le modèle numérique de terrain n'existe pas.",
            objet=mnt,
            conseil="vérifier le chemin « mnt » de la section [relief] du manifeste.",
        )
    try:
        with rasterio.open(mnt) as raster:
            if raster.crs is None:
                raise ErreurDonnees(
                    "Le modèle numérique de terrain n'a pas de système de coordonnées.",
                    objet=mnt,
                    attendu="un raster géoréférencé",
                    conseil="l'inscrire dans le fichier, par exemple avec « gdal_edit -a_srs ».",
                )
            altitudes = _echantillonner(raster, x, y, crs)
            etendue = f"{raster.crs} {tuple(round(v, 4) for v in raster.bounds)}"
    except RasterioError as erreur:
        raise ErreurDonnees(
            "Le modèle numérique de terrain est illisible.",
            objet=mnt,
            attendu="un GeoTIFF complet",
            trouve=erreur,
            conseil="télécharger de nouveau le fichier.",
        ) from erreur
    if x.size and np.isnan(altitudes).all():
        raise ErreurDonnees(
            "Le modèle numérique de terrain ne couvre aucun point du territoire.",
            objet=mnt,
            attendu=f"{crs}, de ({x.min():.0f}, {y.min():.0f}) à ({x.max():.0f}, {y.max():.0f})",
            trouve=etendue,
            conseil="choisir un relief qui couvre le territoire, ou retirer la section [relief].",
        )
    return altitudes


def ajouter_altitudes(reseau: ReseauRues, mnt: Path) -> ReseauRues:
    """Même réseau, avec l'altitude de chaque sommet.

    Le relief décrit le sol : sur un pont ou dans un tunnel, l'altitude est interpolée entre les
    deux extrémités du tronçon, sans quoi la rue suivrait le lit de la rivière.

    Raises
    ------
    ErreurDonnees
        Voir :func:`echantillonner_altitudes`.
    """
    altitudes = echantillonner_altitudes(mnt, reseau.geometrie_x, reseau.geometrie_y, reseau.crs)
    return replace(reseau, geometrie_altitude_m=_franchir_ouvrages(reseau, altitudes))


def _franchir_ouvrages(reseau: ReseauRues, altitudes: NDArray[np.float32]) -> NDArray[np.float32]:
    debut = reseau.geometrie_debut
    pas = np.zeros(altitudes.size)
    pas[1:] = np.hypot(np.diff(reseau.geometrie_x), np.diff(reseau.geometrie_y))
    nombres = np.diff(debut)
    cumul = np.cumsum(pas)
    abscisse = cumul - np.repeat(cumul[debut[:-1]], nombres)
    longueur = np.repeat(np.maximum(abscisse[debut[1:] - 1], 1e-9), nombres)
    part = abscisse / longueur
    premier = np.repeat(altitudes[debut[:-1]], nombres)
    dernier = np.repeat(altitudes[debut[1:] - 1], nombres)
    ouvrage = np.repeat((reseau.troncon_acces & np.uint16(PONT | TUNNEL)) != 0, nombres)
    return np.where(ouvrage, premier + part * (dernier - premier), altitudes).astype(np.float32)


def _echantillonner(raster: Any, x: Reels, y: Reels, crs: str) -> NDArray[np.float32]:
    vers_raster = pyproj.Transformer.from_crs(crs, raster.crs.to_wkt(), always_xy=True)
    rx, ry = vers_raster.transform(x, y)
    inverse = ~raster.transform
    rx, ry = np.asarray(rx, dtype=np.float64), np.asarray(ry, dtype=np.float64)
    colonne = inverse.a * rx + inverse.b * ry + inverse.c
    ligne = inverse.d * rx + inverse.e * ry + inverse.f
    altitudes = np.full(x.size, np.nan, dtype=np.float32)
    with np.errstate(invalid="ignore"):
        dedans = np.flatnonzero(
            (colonne >= 0) & (colonne <= raster.width) & (ligne >= 0) & (ligne <= raster.height)
        )
    # Du coin du pixel à son centre ; au bord, le demi-pixel extérieur prend la valeur du bord.
    c = np.clip(colonne[dedans] - 0.5, 0, raster.width - 1)
    r = np.clip(ligne[dedans] - 0.5, 0, raster.height - 1)
    tuiles_par_ligne = raster.width // COTE_TUILE_PX + 1
    tuile = (r // COTE_TUILE_PX).astype(np.int64) * tuiles_par_ligne + (c // COTE_TUILE_PX).astype(
        np.int64
    )
    ordre = np.argsort(tuile, kind="stable")
    coupes = np.flatnonzero(np.diff(tuile[ordre])) + 1
    for points in np.split(ordre, coupes):
        if points.size:
            altitudes[dedans[points]] = _interpoler(raster, c[points], r[points])
    return altitudes


def _interpoler(raster: Any, c: Reels, r: Reels) -> NDArray[np.float32]:
    """Interpolation bilinéaire en (colonne, ligne) de centres de pixels, une fenêtre lue."""
    c0, r0 = int(c.min()), int(r.min())
    c1, r1 = min(int(c.max()) + 2, raster.width), min(int(r.max()) + 2, raster.height)
    bande = raster.read(1, window=Window(c0, r0, c1 - c0, r1 - r0), masked=True)
    valeurs = np.ma.filled(bande.astype(np.float64), np.nan)
    valeurs = valeurs * raster.scales[0] + raster.offsets[0]
    i = np.minimum((r - r0).astype(np.int64), max(valeurs.shape[0] - 2, 0))
    j = np.minimum((c - c0).astype(np.int64), max(valeurs.shape[1] - 2, 0))
    di, dj = r - r0 - i, c - c0 - j
    i1, j1 = np.minimum(i + 1, valeurs.shape[0] - 1), np.minimum(j + 1, valeurs.shape[1] - 1)
    total = np.zeros(c.size)
    for lignes, colonnes, poids in (
        (i, j, (1 - di) * (1 - dj)),
        (i, j1, (1 - di) * dj),
        (i1, j, di * (1 - dj)),
        (i1, j1, di * dj),
    ):
        # Un voisin sans donnée et sans poids ne doit pas effacer le point.
        total += np.where(poids > 0, valeurs[lignes, colonnes], 0.0) * poids
    return total.astype(np.float32)


def assembler_dalles(
    dalles: Sequence[tuple[Path, tuple[float, float, float, float]]],
    crs: str,
    pas_m: float,
    sortie: Path,
) -> None:
    """Réunir des dalles d'altitude d'une même grille en un GeoTIFF.

    Parameters
    ----------
    dalles
        Raster à une bande et enveloppe ``(xmin, ymin, xmax, ymax)`` demandée, multiple de
        ``pas_m`` ; l'enveloppe l'emporte sur le géoréférencement du fichier, qu'un service d'images
        peut omettre.
    crs
        CRS des enveloppes.
    pas_m
        Côté d'un pixel, mètres.
    sortie
        GeoTIFF écrit ; -99999 : sans donnée.

    Raises
    ------
    ErreurDonnees
        Dalle illisible, d'une autre taille que demandée, ou aucune altitude.
    """
    bornes = np.array([b for _, b in dalles])
    ouest, nord = bornes[:, 0].min(), bornes[:, 3].max()
    largeur = round((bornes[:, 2].max() - ouest) / pas_m)
    hauteur = round((nord - bornes[:, 1].min()) / pas_m)
    altitudes = np.full((hauteur, largeur), SANS_DONNEE, dtype=np.float32)
    for fichier, (xmin, ymin, xmax, ymax) in dalles:
        attendu = (round((ymax - ymin) / pas_m), round((xmax - xmin) / pas_m))
        ligne, colonne = round((nord - ymax) / pas_m), round((xmin - ouest) / pas_m)
        bande = _lire_dalle(fichier, attendu)
        altitudes[ligne : ligne + attendu[0], colonne : colonne + attendu[1]] = bande
    if np.all(altitudes == SANS_DONNEE):
        raise ErreurDonnees(
            "Le service de relief n'a aucune altitude dans l'emprise.",
            objet=sortie.name,
            conseil="choisir un autre modèle de terrain, ou retirer la section [relief].",
        )
    with rasterio.open(
        sortie,
        "w",
        driver="GTiff",
        width=largeur,
        height=hauteur,
        count=1,
        dtype="float32",
        crs=crs,
        transform=from_origin(ouest, nord, pas_m, pas_m),
        nodata=SANS_DONNEE,
        compress="deflate",
        predictor=3,
        tiled=True,
    ) as raster:
        raster.write(altitudes, 1)


def _lire_dalle(fichier: Path, attendu: tuple[int, int]) -> NDArray[np.float32]:
    """Altitudes d'une dalle ; hors des bornes de la Terre émergée, sans donnée."""
    try:
        with warnings.catch_warnings():
            # Une dalle sans géoréférencement est admise : son enveloppe est connue.
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(fichier) as raster:
                bande: NDArray[np.float32] = raster.read(1, masked=True).astype(np.float32)
    except RasterioError as erreur:
        raise ErreurDonnees(
            "Dalle de relief illisible.", objet=fichier, attendu="un GeoTIFF", trouve=erreur
        ) from erreur
    if bande.shape != attendu:
        raise ErreurDonnees(
            "Dalle de relief d'une autre taille que demandée.",
            objet=fichier,
            attendu=f"{attendu[1]} × {attendu[0]} pixels",
            trouve=f"{bande.shape[1]} × {bande.shape[0]}",
        )
    remplie = np.ma.filled(bande, SANS_DONNEE)
    plausible = np.isfinite(remplie) & (remplie > -1000) & (remplie < 9000)
    return np.where(plausible, remplie, np.float32(SANS_DONNEE))
