"""Territoire visé : communes de l'EPCI, emprise élargie, départements et codes touchés."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import geopandas as gpd
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from donnees_geo.communes import ALIAS_CODE, lire_communes, normaliser_codes
from donnees_geo.conventions import CRS_GEO
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.lecture.tables import resoudre_colonnes
from donnees_geo.lecture.vecteur import lire_couche, reprojeter
from donnees_geo.telechargement.catalogue import Catalogue

#: Les contours publiés sont généralisés : un département effleuré à ce près compte.
_TOLERANCE_CONTOUR_M: Final = 200.0
_ALIAS_EPCI: Final = ("codeepci", "siren_epci", "codes_siren_des_epci", "epci")
_ALIAS_REGION: Final = ("coderegion", "insee_reg", "code_insee_de_la_region", "reg")


@dataclass(frozen=True)
class Cible:
    """Ce qu'il faut savoir du territoire pour choisir et découper les sources.

    Attributes
    ----------
    epci, nom
        Code SIREN et nom.
    crs
        CRS métrique.
    communes
        Table de :func:`donnees_geo.communes.lire_communes`.
    emprise
        Contour élargi de la marge, dans ``crs``.
    marge_m
        Élargissement, mètres.
    departements
        Départements que touche l'emprise, triés.
    codes_couverts
        Codes de tout ce que touche l'emprise (communes, EPCI, départements, régions, « FR ») : un
        réseau de transport dit son ressort avec eux.
    """

    epci: str
    nom: str
    crs: str
    communes: gpd.GeoDataFrame
    emprise: BaseGeometry
    marge_m: float
    departements: tuple[str, ...]
    codes_couverts: frozenset[str]

    @property
    def codes_communes(self) -> list[str]:
        """Codes des communes de l'EPCI, triés."""
        return [str(code) for code in self.communes["code_commune"]]

    @property
    def emprise_geo(self) -> BaseGeometry:
        """Emprise en EPSG:4326."""
        return reprojeter(self.emprise, Transformer.from_crs(self.crs, CRS_GEO, always_xy=True))


def departement_de(code_commune: str) -> str:
    """Département d'une commune.

    Examples
    --------
    >>> [departement_de(c) for c in ("62119", "2A004", "97411")]
    ['62', '2A', '974']
    """
    return code_commune[:3] if code_commune.startswith("97") else code_commune[:2]


def delimiter(communes: Path, epci: str, nom: str, catalogue: Catalogue, marge_m: float) -> Cible:
    """Délimiter le territoire d'après ses communes ; les départements sont d'abord les leurs.

    Raises
    ------
    ErreurDonnees
        Communes illisibles, ou dans des départements de CRS différents.
    """
    # Le département, donc le CRS, se lit dans les codes : ils précèdent la projection.
    brute, _ = lire_couche(communes, catalogue.crs_defaut, objet="communes")
    trouvees = resoudre_colonnes(
        brute.columns,
        {"code": ALIAS_CODE},
        communes,
        facultatives={"region": _ALIAS_REGION},
    )
    codes = normaliser_codes(brute[trouvees["code"]])
    departements = sorted({departement_de(c) for c in codes})
    systemes = {catalogue.crs_departements.get(d, catalogue.crs_defaut) for d in departements}
    if len(systemes) > 1:
        raise ErreurDonnees(
            "Les communes relèvent de plusieurs CRS.",
            objet=communes,
            trouve=", ".join(sorted(systemes)),
        )
    crs = systemes.pop()
    table, _ = lire_communes(communes, crs)
    regions = set()
    if "region" in trouvees:
        regions = set(brute[trouvees["region"]].dropna().astype("str"))
    emprise = table.union_all().simplify(50).buffer(marge_m + 50, quad_segs=8)
    couverts = {epci, "FR", *codes, *departements, *regions}
    return Cible(epci, nom, crs, table, emprise, marge_m, tuple(departements), frozenset(couverts))


def ajouter_departements(cible: Cible, contours: Path) -> Cible:
    """Compléter les départements par ceux que touche l'emprise.

    Parameters
    ----------
    contours
        Couche des départements, colonne ``code``.

    Raises
    ------
    ErreurDonnees
        Couche illisible, ou qui ne contient pas le département du territoire.
    """
    zone = cible.emprise.buffer(_TOLERANCE_CONTOUR_M)
    couche, _ = lire_couche(contours, cible.crs, emprise=zone, objet="departements")
    trouvees = resoudre_colonnes(
        couche.columns,
        {"code": ("code", "insee_dep", "code_insee", "dep")},
        contours,
        facultatives={"region": ("region", *_ALIAS_REGION)},
    )
    touches = couche.loc[couche.geometry.intersects(zone)]
    codes = set(touches[trouvees["code"]].astype("str"))
    absents = set(cible.departements) - codes
    if absents:
        raise ErreurDonnees(
            "Les contours de départements ne contiennent pas celui du territoire.",
            objet=contours,
            attendu=", ".join(sorted(absents)),
            trouve=", ".join(sorted(codes)) or "aucun département proche",
        )
    regions = set(touches[trouvees["region"]].astype("str")) if "region" in trouvees else set()
    return replace(
        cible,
        departements=tuple(sorted(codes)),
        codes_couverts=cible.codes_couverts | codes | regions,
    )


def ajouter_voisines(cible: Cible, voisines: Path) -> Cible:
    """Compléter les codes couverts par les communes et les EPCI que touche l'emprise."""
    couche, _ = lire_couche(voisines, cible.crs, emprise=cible.emprise, objet="communes voisines")
    trouvees = resoudre_colonnes(
        couche.columns, {"code": ALIAS_CODE}, voisines, facultatives={"epci": _ALIAS_EPCI}
    )
    couverts = set(couche[trouvees["code"]].astype("str"))
    if "epci" in trouvees:
        couverts |= set(couche[trouvees["epci"]].dropna().astype("str"))
    return replace(cible, codes_couverts=cible.codes_couverts | couverts)
