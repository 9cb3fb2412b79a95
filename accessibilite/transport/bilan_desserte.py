"""Desserte d'un territoire un jour donné : ses arrêts, ses communes et ses carreaux."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from accessibilite.bilans.agregation import calculer_ponderation
from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from accessibilite.transport.desserte import (
    calculer_departs_horaires,
    calculer_desserte_arrets,
    calculer_desserte_communes,
    calculer_eloignement,
    lister_departs,
)
from accessibilite.transport.liaisons import rattacher_arrets
from donnees_geo.configuration import Parametres
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.gtfs import courses_du_jour, verifier_date

if TYPE_CHECKING:  # le calcul ne dépend pas des lecteurs de fichiers que ce module charge
    from donnees_geo.territoire import Territoire

#: Colonnes de l'éloignement comptées par commune.
_ELOIGNEMENTS = ("loin_arret", "loin_gare", "mal_desservi")


@dataclass(frozen=True)
class BilanDesserte:
    """Desserte d'un jour.

    Attributes
    ----------
    jour
        Jour de service.
    arrets
        Une ligne par arrêt de l'emprise : ``arret``, ``nom``, ``code_commune`` (vide hors du
        découpage), ``lon``, ``lat``, ``modes``, ``lignes``, ``departs``, ``premier_s``,
        ``dernier_s``, ``amplitude_s``, ``attente_mediane_s``, puis ``departs_h00``… par heure.
    communes
        Une ligne par commune, dans l'ordre du territoire : ``code_commune``, ``nom``, ``courses``,
        ``departs``, ``lignes``, ``arrets_desservis``, ``modes``, ``premier_s``, ``dernier_s``,
        ``amplitude_s``, ``sans_service``, ``poids`` (habitants, ou m² sans population) et
        ``poids_loin_arret``, ``poids_loin_gare``, ``poids_mal_desservi`` ; puis les heures.
    carreaux
        Une ligne par carreau : ``carreau``, ``code_commune``, ``population_hab``,
        ``distance_arret_m``, ``distance_gare_m`` (``inf`` au-delà de 5 km, NaN sans rue proche),
        ``loin_arret``, ``loin_gare``, ``mal_desservi``.
    par_population
        Faux : les poids sont des m².
    constats
        Flux non valables ce jour-là, jour sans course, carreaux non rattachés.
    """

    jour: date
    arrets: pd.DataFrame
    communes: pd.DataFrame
    carreaux: pd.DataFrame
    par_population: bool
    constats: tuple[Constat, ...]


def calculer_bilan_desserte(
    territoire: Territoire, jour: date, parametres: Parametres
) -> BilanDesserte:
    """Dresser la desserte d'un jour : départs par arrêt, commune et heure, carreaux éloignés.

    Parameters
    ----------
    territoire
        Territoire préparé.
    jour
        Jour étudié.
    parametres
        Vitesse de marche et rattachement.

    Raises
    ------
    ErreurDonnees
        Territoire sans offre de transport, ou jour hors de son calendrier.
    """
    offre = territoire.offre
    if offre is None:
        raise ErreurDonnees(
            "Ce territoire n'a pas d'offre de transport collectif.",
            objet=territoire.nom,
            conseil="Ajoutez [transport] gtfs = [...] au manifeste et préparez-le de nouveau.",
        )
    courses = courses_du_jour(offre, jour)
    departs = lister_departs(offre, courses)
    commune_arret = _communes_des_arrets(offre.arrets, territoire.communes)
    departs["code_commune"] = commune_arret[departs["arret"].to_numpy()]

    graphe = construire_graphe(
        territoire.reseau,
        construire_profil(parametres, "marche"),
        parametres.composante_min_noeuds,
    )
    marche = rattacher_arrets(
        graphe,
        offre,
        marche_max_m=parametres.marche_max_tc_m,
        rattachement_max_m=parametres.rattachement_max_m,
    )
    points = rattacher_points(
        graphe,
        territoire.carreaux["x"].to_numpy(dtype=np.float64),
        territoire.carreaux["y"].to_numpy(dtype=np.float64),
        parametres.rattachement_max_m,
    )
    eloignement = calculer_eloignement(marche, offre, courses, points)
    poids, par_population = calculer_ponderation(territoire.carreaux)

    desserte = calculer_desserte_communes(
        offre, courses, commune_arret, territoire.communes["code_commune"].tolist()
    )
    constats = verifier_date(offre, jour)
    if not points.rattaches.all():
        constats.append(
            Constat(
                Gravite.MINEUR,
                "desserte",
                f"{int((~points.rattaches).sum())} carreau(x) à plus de "
                f"{parametres.rattachement_max_m:.0f} m de toute rue praticable à pied, laissés "
                "sans distance.",
            )
        )
    return BilanDesserte(
        jour=jour,
        arrets=_table_arrets(
            offre.arrets, calculer_desserte_arrets(offre, courses), commune_arret, departs
        ),
        communes=_table_communes(territoire, desserte, departs, eloignement, poids),
        carreaux=pd.concat(
            [
                pd.DataFrame(
                    territoire.carreaux[["carreau", "code_commune", "population_hab"]]
                ).reset_index(drop=True),
                eloignement,
            ],
            axis=1,
        ),
        par_population=par_population,
        constats=tuple(constats),
    )


def _communes_des_arrets(arrets: pd.DataFrame, communes: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Commune de chaque arrêt de l'offre, vide hors du découpage."""
    connus = np.flatnonzero(np.isfinite(arrets["x"].to_numpy()))
    points = shapely.points(arrets["x"].to_numpy()[connus], arrets["y"].to_numpy()[connus])
    arbre = shapely.STRtree(communes.geometry.to_numpy())
    qui, rang = arbre.query(points, predicate="intersects")
    codes = np.full(len(arrets), "", dtype=object)
    # À l'envers : un arrêt posé sur une limite revient à la commune de plus petit rang.
    ordre = np.lexsort((rang, qui))[::-1]
    codes[connus[qui[ordre]]] = communes["code_commune"].to_numpy(dtype=object)[rang[ordre]]
    return codes


def _par_heure(departs: pd.DataFrame, cle: str, index: pd.Index) -> pd.DataFrame:
    """Départs par heure, une ligne par valeur de ``index``, de ``departs_h00`` à la dernière."""
    heures = calculer_departs_horaires(departs, cle).reindex(index, fill_value=0)
    return heures.rename(columns=lambda h: f"departs_h{h:02d}").astype(np.int64)


def _table_arrets(
    arrets: pd.DataFrame,
    desserte: pd.DataFrame,
    commune: NDArray[np.object_],
    departs: pd.DataFrame,
) -> pd.DataFrame:
    rangs = desserte.index.to_numpy()
    lieux = arrets.loc[desserte.index, ["lon", "lat"]]
    table = desserte.assign(
        code_commune=pd.array(commune[rangs], dtype="str"), lon=lieux["lon"], lat=lieux["lat"]
    )
    ordre = (
        *("arret", "nom", "code_commune", "lon", "lat", "modes", "lignes", "departs"),
        *("premier_s", "dernier_s", "amplitude_s", "attente_mediane_s"),
    )
    return (
        table[list(ordre)].join(_par_heure(departs, "arret", desserte.index)).reset_index(drop=True)
    )


def _table_communes(
    territoire: Territoire,
    desserte: pd.DataFrame,
    departs: pd.DataFrame,
    eloignement: pd.DataFrame,
    poids: NDArray[np.float64],
) -> pd.DataFrame:
    """Desserte des communes, avec ce qu'elles comptent d'habitants loin de tout arrêt."""
    code = territoire.carreaux["code_commune"].to_numpy(dtype=object)
    comptes = pd.DataFrame({"poids": poids})
    for nom in _ELOIGNEMENTS:
        comptes[f"poids_{nom}"] = poids * eloignement[nom].to_numpy()
    comptes = comptes.groupby(code).sum().reindex(desserte.index, fill_value=0.0)
    noms = territoire.communes.set_index("code_commune")["nom"]
    table = desserte.join(comptes).join(_par_heure(departs, "code_commune", desserte.index))
    table.insert(0, "nom", noms.reindex(desserte.index))
    return table.reset_index()
