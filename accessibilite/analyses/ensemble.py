"""Analyses tirées d'un diagnostic : niveaux, choix, indice, soins, âges, équité, voiture.

Porte d'entrée : :func:`calculer_analyses`. Les tables sont longues, une ligne par zone et mesure ;
leur sens est dans :data:`TABLES`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from accessibilite.analyses.ages import calculer_marcheurs, calculer_publics
from accessibilite.analyses.comparaison_modes import calculer_voiture_tc
from accessibilite.analyses.concurrence import (
    AccesSoins,
    agreger_soins,
    calculer_acces_soins,
    mesurer_sensibilite,
)
from accessibilite.analyses.controle_voiture import comparer_temps_voiture
from accessibilite.analyses.equite import (
    calculer_deciles,
    calculer_equite,
    calculer_equite_quartiers,
    calculer_niveau_vie,
)
from accessibilite.bilans.agregation import sommer_par_zone
from accessibilite.bilans.carences_modes import calculer_carences_modes
from accessibilite.bilans.choix import ChoixMode, calculer_choix_mode, compter_choix
from accessibilite.bilans.choix_transport import calculer_choix_transport
from accessibilite.bilans.indicateurs import regle_du_service
from accessibilite.bilans.indice import calculer_indice, calculer_paniers
from accessibilite.bilans.mesures import Mesures, lire_mesures
from accessibilite.bilans.niveaux import calculer_choix_zones, calculer_niveaux
from accessibilite.etude import ResultatEtude, construire_graphes
from accessibilite.transport.acces import TC
from donnees_geo.configuration.analyses import ParametresAnalyses
from donnees_geo.conventions import MODES_RUE
from donnees_geo.erreurs import Constat, Gravite

if TYPE_CHECKING:  # le calcul ne dépend pas des lecteurs de fichiers que ce module charge
    from donnees_geo.territoire import Territoire

Progression = Callable[[str, float], None]

#: Nom de table (et de fichier CSV) → ce qu'elle contient.
TABLES: Final[Mapping[str, str]] = {
    "niveaux": "habitants par niveau de temps, par zone, service et mode",
    "paniers": "panier complet par palier, service le plus souvent manquant et service décisif",
    "indice": "indice de la demi-heure par zone, par palier et par fonction",
    "carences_modes": "pour les habitants en carence, temps et équipement nommé par mode",
    "choix": "temps au premier, deuxième, troisième équipement, habitants selon le choix ; en "
    "transport collectif, à l'aller et pour les services dont la règle l'admet",
    "soins": "accès concurrentiel aux soins (E2SFCA) par zone et décroissance",
    "soins_sensibilite": "accord des classements de communes entre décroissances",
    "marcheurs": "services atteints à pied par les 65 ans et plus, à leur vitesse",
    "publics": "accès des enfants à la crèche et à l'école",
    "equite_deciles": "accès par décile de niveau de vie du territoire",
    "equite": "rapport de Palma et indice de concentration",
    "quartiers": "accès dans les quartiers prioritaires et dans le reste du territoire",
    "voiture_tc": "rapport entre temps en transport collectif et en voiture",
    "controle_insee": "écarts entre nos temps en voiture et ceux de l'INSEE",
}


@dataclass(frozen=True)
class Analyses:
    """Analyses d'un diagnostic.

    Attributes
    ----------
    tables
        Nom (:data:`TABLES`) → table ; celles que les données ne permettent pas sont absentes, et
        ``constats`` dit pourquoi.
    carreaux
        Index de ``ResultatEtude.acces``. ``choix_<service>_<mode>`` (int8, équipements distincts
        sous le seuil, plafonné à k, -1 sans donnée), ``temps_<service>_<mode>_<rang>_s`` (float32,
        à partir du deuxième), ``soins_<service>`` (professionnels du territoire pour 100 000
        habitants), ``niveau_vie_eur``, ``decile_niveau_vie`` (1 à 10, 0 sans donnée).
    constats
        Ce que les données ne permettent pas, et les précautions de lecture.
    reglages
        Réglages qui les ont produites.
    durees_s
        Durée de chaque étape, secondes ; ``temps`` réunit les recherches sur les rues.
    """

    tables: Mapping[str, pd.DataFrame]
    carreaux: pd.DataFrame
    constats: tuple[Constat, ...]
    reglages: ParametresAnalyses
    durees_s: Mapping[str, float]


def calculer_analyses(
    territoire: Territoire,
    resultat: ResultatEtude,
    reglages: ParametresAnalyses,
    *,
    quartiers: gpd.GeoDataFrame | None = None,
    temps_voiture_reference: pd.DataFrame | None = None,
    progression: Progression | None = None,
) -> Analyses:
    """Calculer toutes les analyses que les données permettent.

    Parameters
    ----------
    territoire
        Territoire du diagnostic.
    resultat
        Diagnostic, calculé ou relu.
    reglages
        Réglages (``parametres/analyses.toml``).
    quartiers
        Quartiers prioritaires, polygones dans le CRS du territoire, s'ils sont connus.
    temps_voiture_reference
        Temps en voiture d'une autre source, par carreau et service, s'ils sont connus.
    progression
        Rappel ``(étape, part faite)``.

    Raises
    ------
    ErreurReseau
        Aucune rue praticable par un mode du diagnostic.
    """
    durees: dict[str, float] = {}
    mesures = lire_mesures(resultat, territoire.communes, territoire.nom)
    with _chronometrer(durees, "temps"):
        choix, soins = _chercher(territoire, resultat, mesures, reglages, progression)
    with _chronometrer(durees, "tables"):
        tables = _tables(territoire, resultat, mesures, reglages, choix, soins)
        if quartiers is not None and len(quartiers):
            x, y = (territoire.carreaux[c].to_numpy(dtype=np.float64) for c in ("x", "y"))
            tables["quartiers"] = calculer_equite_quartiers(mesures, x, y, quartiers)
        if temps_voiture_reference is not None:
            tables["controle_insee"] = comparer_temps_voiture(mesures, temps_voiture_reference)
        carreaux = _colonnes_carreaux(mesures, choix, soins)
    return Analyses(
        tables={nom: table for nom, table in tables.items() if len(table)},
        carreaux=carreaux,
        constats=tuple(_relever_constats(mesures, reglages, tables)),
        reglages=reglages,
        durees_s=durees,
    )


@contextmanager
def _chronometrer(durees: dict[str, float], etape: str) -> Iterator[None]:
    debut = time.perf_counter()
    yield
    durees[etape] = time.perf_counter() - debut


def _chercher(
    territoire: Territoire,
    resultat: ResultatEtude,
    mesures: Mesures,
    reglages: ParametresAnalyses,
    progression: Progression | None,
) -> tuple[dict[str, ChoixMode], list[AccesSoins]]:
    """Choix de chaque mode, et temps aux soins."""
    parametres = resultat.parametres
    modes = [m for m in MODES_RUE if m in resultat.modes]
    graphes = construire_graphes(territoire, parametres, modes)
    tables = (territoire.carreaux, territoire.equipements, territoire.points_acces)
    choix: dict[str, ChoixMode] = {}
    if reglages.nombre_choix > 1:
        for mode in modes:
            choix[mode] = calculer_choix_mode(
                graphes[mode],
                *tables,
                [s.id for s in resultat.services],
                reglages.nombre_choix,
                rattachement_max_m=parametres.rattachement_max_m,
                progression=progression,
            )
    en_tc = _services_en_transport(resultat)
    if en_tc and "marche" in choix and territoire.offre is not None and resultat.jour is not None:
        choix[TC] = calculer_choix_transport(
            territoire.offre,
            resultat.jour,
            graphes["marche"],
            parametres,
            tables,
            choix["marche"],
            en_tc,
            progression=progression,
        )
    soins: list[AccesSoins] = []
    presents = {s.id for s in resultat.services}
    if reglages.mode_concurrence in graphes and mesures.par_population:
        soins = calculer_acces_soins(
            graphes[reglages.mode_concurrence],
            mesures,
            tables,
            set(territoire.communes["code_commune"].astype(str)),
            [s for s in reglages.services_concurrence if s in presents],
            reglages.decroissances,
            rattachement_max_m=parametres.rattachement_max_m,
            progression=progression,
        )
    return choix, soins


def _services_en_transport(resultat: ResultatEtude) -> list[str]:
    """Services que la règle de leur palier admet en transport collectif, s'il est calculé."""
    if TC not in resultat.modes:
        return []
    regles = {s.id: regle_du_service(s, resultat.parametres.seuils) for s in resultat.services}
    return [service for service, regle in regles.items() if TC in regle.modes]


def _choix_zones(
    resultat: ResultatEtude, mesures: Mesures, choix: Mapping[str, ChoixMode]
) -> pd.DataFrame:
    """Choix par zone ; en transport collectif, seulement les services qu'il sert."""
    table = calculer_choix_zones(mesures, choix)
    if table.empty:
        return table
    hors = (table["mode"] == TC) & ~table["service"].isin(_services_en_transport(resultat))
    return table[~hors].reset_index(drop=True)


def _tables(
    territoire: Territoire,
    resultat: ResultatEtude,
    mesures: Mesures,
    reglages: ParametresAnalyses,
    choix: Mapping[str, ChoixMode],
    soins: list[AccesSoins],
) -> dict[str, pd.DataFrame]:
    deciles, indices = calculer_equite(mesures)
    tables = {
        "niveaux": calculer_niveaux(mesures, reglages.bornes_niveaux_s),
        "paniers": calculer_paniers(mesures),
        "indice": calculer_indice(mesures),
        "carences_modes": calculer_carences_modes(
            mesures, territoire.equipements, territoire.communes
        ),
        "choix": _choix_zones(resultat, mesures, choix),
        "soins": agreger_soins(mesures, soins),
        "marcheurs": calculer_marcheurs(
            mesures,
            reglages.marcheurs,
            vitesse_marche_kmh=resultat.parametres.vitesse_marche_kmh,
            vitesse_senior_kmh=resultat.parametres.vitesse_marche_senior_kmh,
        ),
        "publics": calculer_publics(mesures, reglages.publics),
        "equite_deciles": deciles,
        "equite": indices,
        "voiture_tc": calculer_voiture_tc(mesures, reglages.ratios_tc),
    }
    tables["soins_sensibilite"] = mesurer_sensibilite(tables["soins"])
    return tables


def _colonnes_carreaux(
    mesures: Mesures, choix: Mapping[str, ChoixMode], soins: list[AccesSoins]
) -> pd.DataFrame:
    colonnes: dict[str, object] = {}
    for mode, un in choix.items():
        comptes = compter_choix(un.temps_s, mesures.seuils_s)
        for c, service in enumerate(un.services):
            if mode == TC and np.isnan(un.temps_s[:, c]).all():
                continue  # service d'un palier sans transport collectif
            colonnes[f"choix_{service}_{mode}"] = comptes[:, c]
            for rang in range(1, un.temps_s.shape[2]):
                temps = un.temps_s[:, c, rang].astype(np.float32)
                colonnes[f"temps_{service}_{mode}_{rang + 1}_s"] = temps
    for acces in soins:
        # La première décroissance de chaque service est celle qui est retenue.
        colonnes.setdefault(f"soins_{acces.service}", (1e5 * acces.interieur).astype(np.float32))
    niveau_vie = calculer_niveau_vie(mesures.carreaux)
    if mesures.par_population and not np.isnan(niveau_vie).all():
        colonnes["niveau_vie_eur"] = niveau_vie
        colonnes["decile_niveau_vie"] = calculer_deciles(niveau_vie, mesures.poids).astype(np.int8)
    return pd.DataFrame(colonnes, index=mesures.carreaux.index)


def _relever_constats(
    mesures: Mesures, reglages: ParametresAnalyses, tables: Mapping[str, pd.DataFrame]
) -> Iterator[Constat]:
    """Ce que les données ne permettent pas, et ce qu'il faut savoir en lisant les analyses."""
    yield from _constats_zones(mesures)
    voulues = [g.colonne for g in reglages.marcheurs] + [p.colonne for p in reglages.publics]
    absentes = [c for c in dict.fromkeys(voulues) if c not in mesures.carreaux]
    if absentes:
        yield Constat(
            Gravite.MINEUR,
            "âges",
            f"La population ne donne pas {', '.join(absentes)} : ces tranches d'âge ne sont pas "
            "mesurées.",
        )
    manquent = (
        (
            "equite",
            "équité",
            "La population ne donne pas le niveau de vie (ind_snv) : ni déciles, ni rapport de "
            "Palma, ni indice de concentration.",
        ),
        (
            "quartiers",
            "équité",
            "Aucune couche « qpv » dans le manifeste : les quartiers prioritaires ne sont pas "
            "comparés au reste du territoire.",
        ),
        (
            "voiture_tc",
            "transport collectif",
            "Le diagnostic ne contient pas à la fois la voiture et le transport collectif : leurs "
            "temps ne sont pas comparés.",
        ),
        (
            "soins",
            "soins",
            "L'accès concurrentiel aux soins n'est pas calculé : il demande une population, le "
            f"mode {reglages.mode_concurrence} et un service parmi "
            f"{', '.join(reglages.services_concurrence)}.",
        ),
    )
    for table, objet, message in manquent:
        if not len(tables.get(table, ())):
            yield Constat(Gravite.MINEUR, objet, message)
    yield from _constats_soins(mesures, tables)


def _constats_soins(mesures: Mesures, tables: Mapping[str, pd.DataFrame]) -> Iterator[Constat]:
    soins = tables.get("soins", pd.DataFrame())
    if not len(soins):
        return
    libelles = {s.id: s.libelle for s in mesures.services}
    for _, ligne in soins[soins["zone_type"] == "territoire"].drop_duplicates("service").iterrows():
        ici = ligne["professionnels_pour_100000_hab"]
        partout = ligne["avec_exterieur_pour_100000_hab"]
        if partout - ici < 1:
            continue
        yield Constat(
            Gravite.MINEUR,
            "soins",
            f"Accès à « {libelles[ligne['service']]} » : {ici:.0f} pour 100 000 habitants avec les "
            f"équipements du territoire, {partout:.0f} en comptant ceux d'alentour, dont les "
            "autres patients ne sont pas connus : le second chiffre est un majorant.",
        )


def _constats_zones(mesures: Mesures) -> Iterator[Constat]:
    if not mesures.par_population:
        return
    for zonage in mesures.zonages:
        vides = np.flatnonzero(sommer_par_zone(zonage, mesures.poids) == 0)
        if vides.size:
            noms = ", ".join(zonage.noms[z] for z in vides[:5])
            yield Constat(
                Gravite.MINEUR,
                "population",
                f"{vides.size} zone(s) « {zonage.type.replace('_', ' ')} » sans habitant ({noms}"
                f"{'…' if vides.size > 5 else ''}) : leurs parts sont laissées vides.",
            )
