"""Desserte : départs par arrêt, par commune et par heure, amplitude, lieux sans service.

On compte les départs du jour de service (une course de 24 h 30 appartient à sa veille), une seule
fois chaque course, là où l'on peut monter sans réserver. Les courses données par deux flux ne
comptent qu'une fois.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.rues.dijkstra import calculer_plus_proche
from accessibilite.rues.rattachement import Rattachement
from accessibilite.transport.liaisons import MarcheTc
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.gtfs import CoursesDuJour, OffreTransport

#: Distance à pied au-delà de laquelle un carreau est loin d'un arrêt ou d'une gare (m).
DISTANCE_ARRET_M: Final = 500.0
DISTANCE_GARE_M: Final = 1000.0
#: Modes desservis par une gare (rayon d'attraction plus grand).
MODES_GARE: Final = ("train",)


def lister_departs(offre: OffreTransport, courses: CoursesDuJour) -> pd.DataFrame:
    """Départs du jour de service, un par ligne.

    Parameters
    ----------
    offre
        Offre de transport.
    courses
        Courses du jour.

    Returns
    -------
    pandas.DataFrame
        ``arret`` (ligne de ``offre.arrets``), ``ligne`` (ligne de ``offre.lignes``), ``mode``,
        ``heure_s`` (secondes après minuit du jour de service), rangés par arrêt puis heure. Le
        terminus d'arrivée n'est pas un départ.
    """
    rang = np.repeat(np.arange(courses.nombre_courses), np.diff(courses.debut))
    dernier = np.zeros(rang.size, dtype=bool)
    dernier[courses.debut[1:] - 1] = True
    doublon = offre.courses["doublon"].to_numpy()[courses.course]
    garde = courses.montee & ~dernier & ((courses.decalage_jour == 0) & ~doublon)[rang]
    ligne = offre.courses["ligne"].to_numpy()[courses.course][rang[garde]]
    departs = pd.DataFrame(
        {
            "arret": courses.arret[garde],
            "ligne": ligne,
            "mode": offre.lignes["mode"].to_numpy()[ligne],
            "heure_s": courses.depart_s[garde],
        }
    )
    return departs.sort_values(["arret", "heure_s"], ignore_index=True)


def calculer_desserte_arrets(offre: OffreTransport, courses: CoursesDuJour) -> pd.DataFrame:
    """Desserte de chaque arrêt de l'emprise.

    Returns
    -------
    pandas.DataFrame
        Une ligne par arrêt de l'emprise où passe une ligne (index : ligne de ``offre.arrets``) :
        ``arret``, ``nom``, ``x``, ``y``, ``departs``, ``lignes``, ``modes``, ``premier_s``,
        ``dernier_s`` (NaN sans départ), ``amplitude_s``, ``attente_mediane_s`` (entre deux départs
        successifs, NaN à moins de deux). Zéro départ veut dire aucun service ce jour-là.
    """
    departs = lister_departs(offre, courses)
    cites = np.zeros(offre.nombre_arrets, dtype=bool)
    cites[offre.passage_arret] = True
    garde = cites & offre.arrets["dans_emprise"].to_numpy()
    table: pd.DataFrame = offre.arrets.loc[garde, ["arret", "nom", "x", "y"]].copy()
    resume = _resumer(departs, "arret")
    table = table.join(resume)
    table["departs"] = table["departs"].fillna(0).astype(np.int64)
    table["lignes"] = table["lignes"].fillna(0).astype(np.int64)
    table["modes"] = table["modes"].fillna("")
    return table


def _resumer(departs: pd.DataFrame, cle: str) -> pd.DataFrame:
    """Compter et borner les départs par valeur de ``cle``."""
    groupes = departs.groupby(cle)
    resume = pd.DataFrame(
        {
            "departs": groupes.size(),
            "lignes": groupes["ligne"].nunique(),
            "modes": groupes["mode"].agg(lambda m: ", ".join(sorted(set(m)))),
            "premier_s": groupes["heure_s"].min(),
            "dernier_s": groupes["heure_s"].max(),
        }
    )
    resume["amplitude_s"] = resume["dernier_s"] - resume["premier_s"]
    ecart = departs.sort_values([cle, "heure_s"]).groupby(cle)["heure_s"].diff()
    resume["attente_mediane_s"] = ecart.groupby(departs[cle]).median()
    return resume


def calculer_departs_horaires(departs: pd.DataFrame, cle: str = "arret") -> pd.DataFrame:
    """Départs par heure d'horloge du jour de service.

    Parameters
    ----------
    departs
        Table de :func:`lister_departs`, avec la colonne ``cle``.
    cle
        Colonne qui distingue les lignes du résultat.

    Returns
    -------
    pandas.DataFrame
        Une ligne par valeur de ``cle``, une colonne par heure de 0 à 23 au moins (24 et plus pour
        la nuit), nombre de départs.
    """
    heure = (departs["heure_s"] // 3600).astype(int)
    compte = pd.crosstab(departs[cle], heure)
    dernier = max(23, int(heure.max()) if len(heure) else 23)
    return compte.reindex(columns=range(dernier + 1), fill_value=0).rename_axis(columns="heure")


def calculer_desserte_communes(
    offre: OffreTransport,
    courses: CoursesDuJour,
    commune_arret: Sequence[str] | NDArray[np.object_],
    codes_communes: Sequence[str],
) -> pd.DataFrame:
    """Desserte de chaque commune, celles sans aucun service comprises.

    Parameters
    ----------
    offre, courses
        Offre et courses du jour.
    commune_arret
        Code de la commune de chaque arrêt (``offre.arrets``), vide hors du découpage.
    codes_communes
        Toutes les communes étudiées.

    Returns
    -------
    pandas.DataFrame
        Index ``code_commune``, dans l'ordre donné : ``courses`` (courses distinctes qui prennent
        ou déposent des voyageurs), ``departs``, ``lignes``, ``modes``, ``premier_s``,
        ``dernier_s``, ``amplitude_s``, ``arrets_desservis``, ``sans_service`` (aucun départ).

    Raises
    ------
    ErreurDonnees
        ``commune_arret`` n'a pas une valeur par arrêt.
    """
    communes = np.asarray(commune_arret, dtype=object)
    if communes.size != offre.nombre_arrets:
        raise ErreurDonnees(
            "La commune des arrêts n'est pas donnée pour chacun d'eux.",
            objet="commune_arret",
            attendu=f"{offre.nombre_arrets} valeurs",
            trouve=f"{communes.size}",
        )
    departs = lister_departs(offre, courses)
    departs["code_commune"] = communes[departs["arret"].to_numpy()]
    resume = _resumer(departs, "code_commune").drop(columns="attente_mediane_s")
    resume["arrets_desservis"] = departs.groupby("code_commune")["arret"].nunique()
    table = resume.reindex(pd.Index(codes_communes, name="code_commune"))
    # Après l'extension à toutes les communes : on peut descendre là où rien ne part.
    table["courses"] = _courses_par_commune(offre, courses, communes)
    for colonne in ("courses", "departs", "lignes", "arrets_desservis"):
        table[colonne] = table[colonne].fillna(0).astype(np.int64)
    table["modes"] = table["modes"].fillna("")
    table["sans_service"] = table["departs"] == 0
    return table


def _courses_par_commune(
    offre: OffreTransport, courses: CoursesDuJour, communes: NDArray[np.object_]
) -> pd.Series:
    """Courses distinctes qui s'arrêtent dans chaque commune (pour y monter ou y descendre)."""
    rang = np.repeat(np.arange(courses.nombre_courses), np.diff(courses.debut))
    doublon = offre.courses["doublon"].to_numpy()[courses.course]
    garde = ((courses.decalage_jour == 0) & ~doublon)[rang] & (courses.montee | courses.descente)
    paires = pd.DataFrame({"commune": communes[courses.arret[garde]], "course": rang[garde]})
    compte: pd.Series = paires.drop_duplicates().groupby("commune").size()
    return compte


def calculer_eloignement(
    marche: MarcheTc,
    offre: OffreTransport,
    courses: CoursesDuJour,
    points: Rattachement,
    *,
    distance_arret_m: float = DISTANCE_ARRET_M,
    distance_gare_m: float = DISTANCE_GARE_M,
) -> pd.DataFrame:
    """Distance à pied, par les rues, de chaque point à l'arrêt et à la gare desservis ce jour-là.

    Parameters
    ----------
    marche
        Graphe de la marche et arrêts rattachés.
    offre, courses
        Offre et courses du jour : seuls comptent les arrêts d'où part au moins une course.
    points
        Points rattachés au graphe de la marche (carreaux).
    distance_arret_m, distance_gare_m
        Seuils : 500 m d'un arrêt de bus, 1 000 m d'une gare.

    Returns
    -------
    pandas.DataFrame
        Une ligne par point : ``distance_arret_m`` (tout mode sauf le train), ``distance_gare_m``
        (``inf`` au-delà de 5 km, NaN pour un point non rattaché), ``loin_arret``, ``loin_gare``,
        ``mal_desservi`` (loin des deux) ; un point non rattaché n'est dit loin de rien.
        La distance est le temps de marche rapporté à la vitesse à plat.
    """
    departs = lister_departs(offre, courses)
    en_gare = departs["mode"].isin(MODES_GARE).to_numpy()
    arret = departs["arret"].to_numpy()
    vitesse = marche.graphe.profil.approche_m_s
    colonnes = {}
    for nom, choisis in (("arret", arret[~en_gare]), ("gare", arret[en_gare])):
        lieux = marche.arrets.extraire(np.unique(choisis).astype(np.intp))
        proche = calculer_plus_proche(
            marche.graphe, points, lieux, sens="vers", limite_s=5000.0 / vitesse
        )
        colonnes[nom] = np.where(points.rattaches, proche.temps_s * vitesse, np.nan)
    loin_arret = colonnes["arret"] > distance_arret_m
    loin_gare = colonnes["gare"] > distance_gare_m
    return pd.DataFrame(
        {
            "distance_arret_m": colonnes["arret"],
            "distance_gare_m": colonnes["gare"],
            "loin_arret": loin_arret,
            "loin_gare": loin_gare,
            "mal_desservi": loin_arret & loin_gare,
        }
    )
