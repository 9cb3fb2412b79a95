"""Équipements : choix de la source par service, doublons fondus, points d'accès."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from donnees_geo.configuration import Service
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.gtfs import OffreTransport
from donnees_geo.lecture.fichiers_toml import proposer
from donnees_geo.lecture.tables import ALIAS_IDENTIFIANT, resoudre_colonnes
from donnees_geo.lecture.vecteur import lire_couche
from donnees_geo.population import situer_dans_communes

#: Ordre des sources quand celle du catalogue n'est pas donnée.
_ORDRE_SOURCES: Final = ("bpe", "osm", "gtfs")
_RANG_QUALITE: Final = {"bonne": 0, "acceptable": 1, "inconnue": 2, "mauvaise": 3}
#: Modes GTFS dont un arrêt n'est pas un arrêt de proximité.
_MODES_LOURDS: Final = frozenset({"train", "bateau", "ferry"})
_ALIAS_NOM: Final = ("nom", "name", "libelle", "nom_cog", "titre", "enseigne")
_COLONNES: Final = (
    "service",
    "nom",
    "source",
    "id_source",
    "code_commune",
    "qualite",
    "effectif",
)
#: Espacement des points d'accès sur le pourtour d'un parc ou d'un bois, mètres.
PAS_POURTOUR_M: Final = 50.0
#: En deçà, un équipement surfacique est réduit à un point, m².
SURFACE_MINIME_M2: Final = 2_500.0


def construire_equipements(
    sources: Mapping[str, gpd.GeoDataFrame],
    services: Sequence[Service],
    communes: gpd.GeoDataFrame,
    crs: str,
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Réunir les équipements de plusieurs sources, sans doublons.

    Pour chaque service, un fichier libre l'emporte, puis la source du catalogue ; si elle n'est pas
    donnée ou ne connaît pas le service, une autre prend le relais. Deux objets d'un même service à
    moins de ``distance_doublon_m`` sont le même lieu : le mieux placé est gardé, les effectifs
    d'une même source s'ajoutent (un praticien par ligne de BPE). Un service que d'autres satisfont
    aussi reçoit leurs lieux, sauf là où il en a déjà un.

    Parameters
    ----------
    sources
        ``bpe``, ``osm``, ``gtfs``, ou nom d'un fichier libre → table (``service``, ``nom``,
        ``id_source``, ``geometry`` dans ``crs`` ; ``qualite`` et ``effectif`` facultatifs).
    services
        Catalogue.
    communes
        ``code_commune`` et ``geometry``.
    crs
        CRS métrique.

    Returns
    -------
    GeoDataFrame
        Schéma EQUIPEMENTS, trié par service puis identifiant, index 0…n-1. Ne dépend pas de
        l'ordre des lignes des sources.
    list of Constat
    """
    tables = {nom: _completer(table, nom) for nom, table in sources.items()}
    propres: dict[str, pd.DataFrame] = {}
    relais: dict[tuple[str, str], list[str]] = {}
    for service in services:
        retenues = _choisir_sources(service, tables)
        seule = retenues[0] if len(retenues) == 1 and retenues[0] in _ORDRE_SOURCES else None
        if seule is not None and service.source not in ("union", seule):
            relais.setdefault((service.source, seule), []).append(service.libelle)
        lots = [tables[n].loc[tables[n]["service"] == service.id] for n in retenues]
        if lots:
            propres[service.id] = _fondre(pd.concat(lots, ignore_index=True), service, retenues)
    reunis = (_emprunter(service, propres) for service in services)
    morceaux = [m for m in reunis if m is not None]
    constats = _constater(list(propres.values()), morceaux, tables, services, relais)
    if not morceaux:
        return _table_vide(crs), constats
    table = gpd.GeoDataFrame(pd.concat(morceaux, ignore_index=True), geometry="geometry", crs=crs)
    table["code_commune"] = _commune_de(table, communes)
    identifiants = table["service"] + ":" + table["source"] + ":" + table["id_source"]
    rang = identifiants.groupby(identifiants).cumcount()
    table.insert(0, "equipement", identifiants)
    repetes = rang > 0
    table.loc[repetes, "equipement"] = (
        identifiants[repetes] + "#" + (rang[repetes] + 1).astype("str")
    )
    return table[["equipement", *_COLONNES, "geometry"]], constats


def construire_points_acces(
    equipements: gpd.GeoDataFrame, services: Sequence[Service]
) -> pd.DataFrame:
    """Points par lesquels on entre dans chaque équipement.

    Returns
    -------
    DataFrame
        Schéma POINTS_ACCES, trié par équipement : le point d'un équipement ponctuel ; des points
        tous les :data:`PAS_POURTOUR_M` sur le contour d'un équipement surfacique, ou son point
        intérieur s'il est minime.
    """
    geometries = equipements.geometry.to_numpy()
    surfaciques = {s.id for s in services if s.surfacique}
    etendu = (
        (shapely.get_dimensions(geometries) == 2)
        & equipements["service"].isin(surfaciques).to_numpy()
        & (shapely.area(geometries) >= SURFACE_MINIME_M2)
    )
    lignes = np.arange(len(equipements))
    simples = shapely.get_coordinates(shapely.point_on_surface(geometries[~etendu]))
    anneaux, qui = _anneaux_exterieurs(geometries[etendu], lignes[etendu])
    longueurs = shapely.length(anneaux)
    nombres = np.maximum(np.ceil(longueurs / PAS_POURTOUR_M), 4).astype(np.int64)
    anneau = np.repeat(np.arange(len(anneaux)), nombres)
    rang = np.arange(anneau.size) - np.repeat(np.cumsum(nombres) - nombres, nombres)
    abscisses = rang * (longueurs / nombres)[anneau]
    pourtour = shapely.get_coordinates(shapely.line_interpolate_point(anneaux[anneau], abscisses))
    coordonnees = np.vstack([simples, pourtour])
    equipement = np.concatenate([lignes[~etendu], qui[anneau]])
    ordre = np.argsort(equipement, kind="stable")
    return pd.DataFrame(
        {
            "equipement": equipement[ordre].astype(np.int32),
            "x": coordonnees[ordre, 0],
            "y": coordonnees[ordre, 1],
        }
    )


def lire_fichier_service(
    chemin: Path, service: Service, crs: str, emprise: BaseGeometry
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire les équipements d'un service dans un fichier libre du manifeste.

    Des lignes ou des polygones deviennent leur point intérieur, sauf si le service est surfacique.

    Raises
    ------
    ErreurDonnees
        Fichier illisible ou sans géométrie.
    """
    objet = f"services.fichiers ({service.id})"
    couche, constats = lire_couche(chemin, crs, emprise=emprise, objet=objet)
    trouvees = resoudre_colonnes(
        couche.columns, {}, chemin, facultatives={"nom": _ALIAS_NOM, "id": ALIAS_IDENTIFIANT}
    )
    geometries = couche.geometry.to_numpy()
    if service.surfacique:
        surfaces = shapely.get_dimensions(geometries) == 2
        geometries = np.where(surfaces, geometries, shapely.point_on_surface(geometries))
    else:
        geometries = shapely.point_on_surface(geometries)
    noms = couche[trouvees["nom"]].fillna("") if "nom" in trouvees else ""
    identifiants = couche[trouvees["id"]] if "id" in trouvees else pd.Series(couche.index)
    if couche.empty:
        constats.append(
            Constat(Gravite.MAJEUR, objet, f"aucun objet de {chemin.name} dans le territoire.")
        )
    table = gpd.GeoDataFrame(
        {
            "service": service.id,
            "nom": pd.Series(noms, index=couche.index, dtype="str"),
            "id_source": identifiants.astype("str"),
        },
        geometry=np.asarray(geometries),
        crs=crs,
    )
    return table, constats + _constater_homonymes(table, objet)


def _constater_homonymes(table: gpd.GeoDataFrame, objet: str) -> list[Constat]:
    """Dire les objets de noms différents posés exactement au même point : un géocodage fautif."""
    nommes = table.loc[table["nom"] != ""]
    noms = nommes.groupby(nommes.geometry.to_wkb())["nom"].agg(lambda n: sorted(set(n)))
    suspects = [groupe for groupe in noms if len(groupe) > 1]
    if not suspects:
        return []
    exemples = " ; ".join(", ".join(groupe[:4]) for groupe in suspects[:5])
    return [
        Constat(
            Gravite.MAJEUR,
            objet,
            f"{len(suspects)} point(s) portent plusieurs objets de noms différents, fondus en un : "
            f"{exemples}. Vérifiez leurs coordonnées.",
        )
    ]


def trouver_service(identifiant: str, services: Sequence[Service]) -> Service:
    """Chercher un service du catalogue.

    Raises
    ------
    ErreurDonnees
        Service inconnu ; le plus proche est proposé.
    """
    for service in services:
        if service.id == identifiant:
            return service
    raise ErreurDonnees(
        f"Service inconnu : « {identifiant} ».",
        objet="services.fichiers",
        conseil=proposer(identifiant, [s.id for s in services]),
    )


def arrets_desservis(
    offre: OffreTransport, services: Sequence[Service], crs: str
) -> gpd.GeoDataFrame:
    """Arrêts du GTFS où passe au moins une course (hors trains), pour les services « gtfs »."""
    rails = offre.lignes.index[offre.lignes["mode"].isin(_MODES_LOURDS)]
    legeres = ~offre.courses["ligne"].isin(rails).to_numpy()
    par_course = np.diff(offre.passage_debut)
    desservis = np.unique(offre.passage_arret[np.repeat(legeres, par_course)])
    arrets = offre.arrets.iloc[desservis]
    arrets = arrets.loc[arrets["localise"] & arrets["dans_emprise"]]
    points = shapely.points(arrets["x"].to_numpy(), arrets["y"].to_numpy())
    tables = [
        gpd.GeoDataFrame(
            {"service": s.id, "nom": arrets["nom"], "id_source": arrets["arret"].astype("str")},
            geometry=np.asarray(points),
            crs=crs,
        )
        for s in services
        if s.source == "gtfs"
    ]
    if not tables:
        return gpd.GeoDataFrame({"service": [], "nom": [], "id_source": []}, geometry=[], crs=crs)
    return gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=crs)


def _completer(table: gpd.GeoDataFrame, source: str) -> gpd.GeoDataFrame:
    """Colonnes communes à toutes les sources."""
    complete = table.assign(source=pd.Series(source, index=table.index, dtype="str"))
    for colonne, defaut in (("qualite", "inconnue"), ("effectif", 1), ("nom", "")):
        if colonne not in complete:
            complete[colonne] = defaut
    complete["nom"] = complete["nom"].fillna("").astype("str")
    return complete


def _choisir_sources(service: Service, tables: Mapping[str, gpd.GeoDataFrame]) -> list[str]:
    """Sources retenues pour un service, de la plus à la moins préférée."""
    donnees = [n for n, t in tables.items() if (t["service"] == service.id).any()]
    libres = sorted(n for n in donnees if n not in _ORDRE_SOURCES)
    ordonnees: list[str] = [n for n in _ORDRE_SOURCES if n in donnees]
    if service.source == "union":
        return libres + ordonnees
    if libres:
        return libres
    if service.source in ordonnees:
        return [service.source]
    return ordonnees[:1]


def _fondre(table: pd.DataFrame, service: Service, sources: Sequence[str]) -> pd.DataFrame:
    """Fondre les doublons d'un service ; une ligne par lieu."""
    geometries = np.asarray(table["geometry"], dtype=object)
    points = shapely.get_coordinates(shapely.centroid(geometries))
    ordre = np.lexsort(
        (
            points[:, 1],
            points[:, 0],
            table["id_source"].to_numpy(),
            (table["nom"] == "").to_numpy(),
            table["qualite"].map(_RANG_QUALITE).fillna(2).to_numpy(),
            table["source"].map({n: r for r, n in enumerate(sources)}).to_numpy(),
        )
    )
    rangee = table.iloc[ordre].reset_index(drop=True)
    if service.surfacique:
        chef = _fondre_surfaces(geometries[ordre])
    else:
        chef = regrouper_lieux(points[ordre], service.distance_doublon_m)
    effectifs = _compter_effectifs(rangee, chef)
    garde = chef == np.arange(len(chef))
    noms = rangee.loc[rangee["nom"] != ""].groupby(chef[rangee["nom"] != ""])["nom"].first()
    fondue = rangee.loc[garde].copy()
    fondue["effectif"] = effectifs[garde]
    fondue["nom"] = fondue["nom"].where(fondue["nom"] != "", noms.reindex(fondue.index).fillna(""))
    return pd.DataFrame(
        fondue.sort_values(["source", "id_source"], kind="stable", ignore_index=True)
    )


def _emprunter(service: Service, propres: Mapping[str, pd.DataFrame]) -> pd.DataFrame | None:
    """Lieux d'un service, et ceux des services qui le satisfont aussi ; ``None`` sans aucun."""
    autres = [propres[s] for s in service.satisfait_aussi_par if s in propres]
    siens = propres.get(service.id)
    if not autres:
        return siens
    table = pd.concat([*([] if siens is None else [siens]), *autres], ignore_index=True)
    points = shapely.get_coordinates(shapely.centroid(np.asarray(table["geometry"], dtype=object)))
    emprunte = table["service"].to_numpy() != service.id
    chef = regrouper_lieux(points, service.distance_doublon_m)
    # Les lieux du service sont déjà distincts : seuls des emprunts peuvent être de trop.
    garde = ~emprunte | (chef == np.arange(len(chef)))
    return pd.DataFrame(
        table[garde]
        .assign(service=service.id)
        .sort_values(["source", "id_source"], kind="stable", ignore_index=True)
    )


def regrouper_lieux(points: NDArray[np.float64], distance_m: float) -> NDArray[np.int64]:
    """Désigner le chef de lieu de chaque point, par ordre de préférence.

    Dans l'ordre des lignes, un point qui n'a pas de chef à moins de ``distance_m`` en devient un ;
    les autres vont au plus proche chef. Une rue de cafés voisins ne s'effondre donc pas en un seul
    point, comme le ferait un regroupement par chaînage.

    Parameters
    ----------
    points
        float64[n, 2], mètres, du plus au moins préféré.
    distance_m
        Rayon d'un lieu, mètres.

    Returns
    -------
    ndarray
        int64[n], rang du chef (lui-même pour un chef).
    """
    n = len(points)
    chef = np.arange(n)
    if n < 2:
        return chef
    paires = cKDTree(points).query_pairs(max(distance_m, 0.01), output_type="ndarray")
    if not len(paires):
        return chef
    # i < j : i est préféré. Un point dont tous les voisins préférés sont déjà écartés est chef ;
    # chaque passe fixe tous ceux qui peuvent l'être, ce qui donne le résultat du parcours en ordre.
    i, j = paires.min(axis=1), paires.max(axis=1)
    etat = np.zeros(n, dtype=np.int8)  # 0 indécis, 1 chef, 2 rattaché
    while (etat == 0).any():
        bloque = np.zeros(n, dtype=bool)
        bloque[j[etat[i] == 0]] = True
        etat[(etat == 0) & ~bloque] = 1
        touches = j[etat[i] == 1]
        etat[touches[etat[touches] == 0]] = 2
    depuis, vers = np.concatenate([i, j]), np.concatenate([j, i])
    utile = (etat[depuis] == 2) & (etat[vers] == 1)
    depuis, vers = depuis[utile], vers[utile]
    distances = np.hypot(*(points[depuis] - points[vers]).T)
    ordre = np.lexsort((vers, distances, depuis))
    premiers = np.unique(depuis[ordre], return_index=True)[1]
    chef[depuis[ordre][premiers]] = vers[ordre][premiers]
    return chef


def _fondre_surfaces(geometries: NDArray[np.object_]) -> NDArray[np.int64]:
    """Rattacher un point tombant dans une surface, et une surface répétée, à cette surface."""
    chef = np.arange(len(geometries))
    surfaces = np.flatnonzero(shapely.get_dimensions(geometries) == 2)
    points = np.flatnonzero(shapely.get_dimensions(geometries) == 0)
    empreintes = pd.Series(shapely.to_wkb(shapely.normalize(geometries[surfaces])))
    premiers = empreintes.groupby(empreintes).transform(lambda groupe: groupe.index[0])
    chef[surfaces] = surfaces[premiers.to_numpy(dtype=np.int64)] if len(surfaces) else surfaces
    if len(surfaces) and len(points):
        qui, ou = shapely.STRtree(geometries[surfaces]).query(
            geometries[points], predicate="intersects"
        )
        chef[points[qui[::-1]]] = chef[surfaces[ou[::-1]]]
    return chef


def _compter_effectifs(table: pd.DataFrame, chef: NDArray[np.int64]) -> NDArray[np.int32]:
    """Effectif de chaque lieu : le plus grand des totaux par source.

    Une carte (osm) donne parfois deux fois le même objet, noeud et surface : seuls ses noms
    distincts y font nombre.
    """
    cle = pd.DataFrame(
        {
            "chef": chef,
            "source": table["source"].to_numpy(),
            "nom": table["nom"].to_numpy(),
            "effectif": table["effectif"].to_numpy(),
        }
    )
    carte = cle["source"] == "osm"
    sommes = cle.loc[~carte].groupby(["chef", "source"])["effectif"].sum()
    noms = cle.loc[carte & (cle["nom"] != "")].groupby("chef")["nom"].nunique()
    effectifs = np.ones(len(table), dtype=np.int32)
    for serie in (sommes.groupby("chef").max(), noms):
        rangs = serie.index.to_numpy(dtype=np.int64)
        effectifs[rangs] = np.maximum(effectifs[rangs], serie.to_numpy(dtype=np.int32))
    return effectifs


def _commune_de(table: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> Any:
    points = shapely.point_on_surface(table.geometry.to_numpy())
    rangs = situer_dans_communes(np.asarray(points), communes)
    codes = np.append(communes["code_commune"].to_numpy(dtype=object), "")
    return pd.array(codes[rangs], dtype="str")


def _anneaux_exterieurs(
    geometries: NDArray[np.object_], lignes: NDArray[np.int64]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    parties, rang = shapely.get_parts(geometries, return_index=True)
    polygones = shapely.get_dimensions(parties) == 2
    return shapely.get_exterior_ring(parties[polygones]), lignes[rang[polygones]]


def _table_vide(crs: str) -> gpd.GeoDataFrame:
    colonnes: dict[str, Any] = {
        c: pd.Series([], dtype="int32" if c == "effectif" else "str")
        for c in ("equipement", *_COLONNES)
    }
    return gpd.GeoDataFrame(colonnes, geometry=[], crs=crs)


def _constater(
    propres: Sequence[pd.DataFrame],
    morceaux: Sequence[pd.DataFrame],
    tables: Mapping[str, gpd.GeoDataFrame],
    services: Sequence[Service],
    relais: Mapping[tuple[str, str], Sequence[str]],
) -> list[Constat]:
    constats = [
        Constat(
            Gravite.MINEUR,
            "services",
            f"la source prévue ({voulue}) ne donne rien, {retenue} la remplace pour : "
            f"{', '.join(libelles)}.",
        )
        for (voulue, retenue), libelles in relais.items()
    ]
    presents = {str(s) for m in morceaux for s in m["service"].unique()}
    absents = [s.libelle for s in services if s.id not in presents]
    if absents and tables:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "services",
                f"{len(absents)} service(s) sans aucun équipement : {', '.join(absents)}.",
            )
        )
    lus = sum(
        int((tables[n]["service"] == m["service"].iloc[0]).sum())
        for m in propres
        for n in tables
        if n in set(m["source"])
    )
    gardes = sum(len(m) for m in propres)
    if lus > gardes:
        constats.append(
            Constat(
                Gravite.MINEUR,
                "services",
                f"{lus - gardes} objet(s) fondus avec un autre du même service au même lieu "
                f"(praticiens, noeud et surface d'OpenStreetMap…) : {gardes} lieux pour {lus} "
                "objets lus.",
            )
        )
    return constats
