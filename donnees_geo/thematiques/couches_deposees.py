"""Fichiers déposés dans le visualiseur : des couches libres, sous des bornes plus basses."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path, PureWindowsPath
from typing import Final

import geopandas as gpd
import shapely
from shapely.geometry.base import BaseGeometry

from donnees_geo.erreurs import Constat, ErreurDonnees, ErreurProjet, Gravite
from donnees_geo.lecture.vecteur import bornes_en_wgs84
from donnees_geo.thematiques.couches_libres import lire_couche_libre, refuser_axes_echanges

#: Un fichier déposé est tenu en mémoire par sa session : ses bornes sont plus basses.
DEPOT_MAX_OCTETS: Final = 50 * 1024**2
DEPOT_MAX_OBJETS: Final = 20_000
DEPOT_MAX_SOMMETS: Final = 1_000_000
FORMATS_DEPOSES: Final = (".gpkg", ".geojson", ".json", ".zip", ".kml", ".csv")


def lire_couche_deposee(
    nom: str, contenu: bytes, crs: str, emprise: BaseGeometry
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire un fichier reçu d'un navigateur, sans rien en garder sur le disque.

    Parameters
    ----------
    nom
        Nom du fichier chez son auteur ; seul son suffixe est employé.
    contenu
        Octets.
    crs
        CRS métrique du territoire.
    emprise
        Territoire élargi, dans ``crs``.

    Returns
    -------
    GeoDataFrame
        Comme ``couches_libres.lire_couche_libre`` ; les objets hors de l'emprise sont gardés.
    list of Constat
        Ce qui a été réparé, écarté ou deviné, et le nombre d'objets hors de l'emprise.

    Raises
    ------
    ErreurDonnees
        Format non reçu, fichier trop lourd, trop d'objets ou de sommets, archive refusée, couche
        illisible, sans objet, sans géométrie, sans CRS, aux axes échangés ou loin du territoire.
    """
    objet = PureWindowsPath(nom).name[:100]
    suffixe = PureWindowsPath(nom).suffix.lower()
    _verifier_depot(objet, suffixe, len(contenu))
    with tempfile.TemporaryDirectory(prefix="demi-heure-depot-") as dossier:
        # Les messages citent le nom de l'auteur ; un nom simple ne sort d'aucun dossier.
        chemin = Path(dossier) / (re.sub(r"[^\w -]", "_", PureWindowsPath(nom).stem)[:60] + suffixe)
        chemin.write_bytes(contenu)
        try:
            lue, constats = lire_couche_libre(chemin, crs, None, objet)
        except ErreurProjet as erreur:
            # Le fichier de passage n'a pas de sens pour l'auteur du dépôt.
            raise ErreurDonnees(
                erreur.message,
                objet=objet,
                attendu=erreur.attendu,
                trouve=_sans_chemin(erreur.trouve),
                conseil=_conseiller(erreur.conseil),
            ) from erreur
    _verifier_ampleur(lue, objet)
    return lue, [*constats, *_situer(lue, crs, emprise, objet)]


def _verifier_depot(objet: str, suffixe: str, taille: int) -> None:
    if suffixe not in FORMATS_DEPOSES:
        conseil = "enregistrez-le en GeoPackage ou en GeoJSON dans un SIG"
        if suffixe in (".shp", ".dbf", ".shx", ".prj"):
            conseil = "déposez un zip qui contienne le .shp, le .shx, le .dbf et le .prj"
        raise ErreurDonnees(
            "Ce format de fichier n'est pas reçu.",
            objet=objet,
            attendu=", ".join(FORMATS_DEPOSES),
            trouve=suffixe or "aucun suffixe",
            conseil=conseil,
        )
    if taille > DEPOT_MAX_OCTETS:
        raise ErreurDonnees(
            "Fichier trop lourd pour être déposé.",
            objet=objet,
            attendu=f"au plus {DEPOT_MAX_OCTETS // 1024**2} Mo",
            trouve=f"{taille // 1024**2} Mo",
            conseil="découpez-le au territoire, ou citez-le dans [couches] du manifeste",
        )


def _verifier_ampleur(couche: gpd.GeoDataFrame, objet: str) -> None:
    sommets = int(shapely.get_num_coordinates(couche.geometry.to_numpy()).sum())
    if len(couche) > DEPOT_MAX_OBJETS or sommets > DEPOT_MAX_SOMMETS:
        raise ErreurDonnees(
            "La couche a trop d'objets pour être déposée.",
            objet=objet,
            attendu=f"au plus {DEPOT_MAX_OBJETS} objets et {DEPOT_MAX_SOMMETS} sommets",
            trouve=f"{len(couche)} objets, {sommets} sommets",
            conseil="découpez-la au territoire, ou citez-la dans [couches] du manifeste",
        )


def _situer(couche: gpd.GeoDataFrame, crs: str, emprise: BaseGeometry, objet: str) -> list[Constat]:
    """Compter les objets hors de l'emprise ; une couche entièrement dehors est refusée.

    Raises
    ------
    ErreurDonnees
        Aucun objet dans l'emprise.
    """
    dehors = ~shapely.intersects(couche.geometry.to_numpy(), emprise)
    if not dehors.any():
        return []
    if dehors.all():
        refuser_axes_echanges(couche, emprise, objet)
        ouest, sud, est, nord = bornes_en_wgs84(couche.total_bounds.tolist(), crs)
        raise ErreurDonnees(
            "Aucun objet de la couche n'est dans le territoire.",
            objet=objet,
            attendu="des objets dans le territoire ou à ses abords",
            trouve=(
                f"une couche entre {ouest:.2f} et {est:.2f}° de longitude, {sud:.2f} et "
                f"{nord:.2f}° de latitude"
            ).replace(".", ","),
            conseil="vérifiez le CRS annoncé par le fichier, et que c'est la bonne couche",
        )
    return [
        Constat(
            Gravite.MINEUR,
            objet,
            f"{int(dehors.sum())} objet(s) sur {len(couche)} hors du territoire.",
        )
    ]


def _sans_chemin(trouve: object) -> str | None:
    """Texte d'une erreur sans les dossiers de passage."""
    return None if trouve is None else re.sub(r"\S*/demi-heure-[^\s/]*/", "", str(trouve))


def _conseiller(conseil: str | None) -> str:
    """Conseil qui vaut pour un dépôt : il n'y a ni manifeste ni téléchargement."""
    if conseil is None or re.search("manifeste|télécharge", conseil):
        return "vérifiez le fichier dans un SIG et enregistrez-le de nouveau"
    return conseil
