"""Étude d'un territoire : temps d'accès, indicateurs et carences, tous modes.

Porte d'entrée de la couche : :func:`calculer_etude`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    COLONNES_REGROUPEMENTS,
    calculer_ponderation,
    construire_zonages,
    zones_des_carreaux,
)
from accessibilite.bilans.carences import calculer_carences
from accessibilite.bilans.indicateurs import (
    PLUS_RAPIDE,
    calculer_indicateurs,
    calculer_plus_rapide,
    regle_du_service,
)
from accessibilite.constats import relever_constats
from accessibilite.rues.graphe import Graphe, construire_graphe
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.services import AccesMode, calculer_acces_mode
from accessibilite.transport.acces import TC, AccesTransport, calculer_acces_transport
from donnees_geo.configuration import Parametres, Service
from donnees_geo.conventions import (
    COLONNES_AGES,
    MODES,
    MODES_RUE,
    Mode,
    ModeRue,
)
from donnees_geo.erreurs import Constat, ErreurConfiguration, ErreurDonnees
from donnees_geo.gtfs import OffreTransport

if TYPE_CHECKING:  # le calcul ne dépend pas des lecteurs de fichiers que ce module charge
    from donnees_geo.territoire import Territoire
    from donnees_geo.territoire.modele import SourceLue

Progression = Callable[[str, float], None]


@dataclass(frozen=True)
class ResultatEtude:
    """Résultat d'une étude.

    Attributes
    ----------
    acces
        Une ligne par carreau : ``carreau``, ``code_commune``, ``code_bassin_de_vie``,
        ``code_secteur`` (vides sans découpage), ``population_hab``, ``surface_m2``, ``impute``, les
        tranches d'âge et le niveau de vie quand la source les donne, puis par service et mode
        ``temps_<service>_<mode>_s`` (float32, ``inf`` inaccessible, NaN sans donnée) et
        ``proche_<service>_<mode>`` (int32, ligne de ``territoire.equipements``, -1). En transport
        collectif s'y ajoutent les centiles (``temps_<service>_tc_p25_s``…), la part des départs
        sous le seuil (``part_<service>_tc``) et, en aller-retour,
        ``temps_<service>_tc_retour_s``.
    indicateurs, carences
        Tables longues (contrats ``indicateurs.csv`` et ``carences.csv``).
    constats
        Limites de l'étude : carreaux non rattachés, services sans équipement, données imputées…
    services, modes
        Services et modes calculés.
    parametres
        Hypothèses employées.
    empreinte_territoire
        Empreinte du territoire préparé.
    jour
        Jour du transport collectif, ``None`` s'il n'est pas calculé.
    par_population
        Faux : les parts sont des parts de surface, faute de population.
    durees_s
        Durée de chaque étape, secondes.
    sources
        Fichiers dont le territoire est tiré, avec leur empreinte.
    aller_retour
        Vrai : en transport collectif, le retour est exigé aussi.
    """

    acces: pd.DataFrame
    indicateurs: pd.DataFrame
    carences: pd.DataFrame
    constats: tuple[Constat, ...]
    services: tuple[Service, ...]
    modes: tuple[str, ...]
    parametres: Parametres
    empreinte_territoire: str
    par_population: bool
    durees_s: dict[str, float]
    jour: date | None = None
    sources: tuple[SourceLue, ...] = ()
    aller_retour: bool = False


def colonne_temps(service: str, mode: str) -> str:
    """Colonne du temps (s) d'un service et d'un mode dans ``acces``."""
    return f"temps_{service}_{mode}_s"


def colonne_proche(service: str, mode: str) -> str:
    """Colonne de l'équipement le plus proche dans ``acces``."""
    return f"proche_{service}_{mode}"


def construire_graphes(
    territoire: Territoire, parametres: Parametres, modes: Sequence[ModeRue] = MODES_RUE
) -> dict[ModeRue, Graphe]:
    """Graphe de chaque mode de rue aux vitesses des paramètres."""
    return {
        mode: construire_graphe(
            territoire.reseau,
            construire_profil(parametres, mode),
            parametres.composante_min_noeuds,
        )
        for mode in modes
    }


def calculer_etude(
    territoire: Territoire,
    scenario: None,
    parametres: Parametres,
    *,
    modes: Sequence[Mode] | None = None,
    services: Sequence[str] | None = None,
    jour: date | None = None,
    aller_retour: bool = False,
    progression: Progression | None = None,
) -> ResultatEtude:
    """Calculer l'accès de tous les carreaux à tous les services, et ce qu'on en déduit.

    Parameters
    ----------
    territoire
        Territoire préparé.
    scenario
        ``None`` : situation de référence.
    parametres
        Hypothèses.
    modes
        Modes calculés ; par défaut les modes de rue, et le transport collectif quand le territoire
        a une offre et un jour étudié. Le transport collectif demande la marche.
    services
        Identifiants des services voulus ; par défaut tous ceux du catalogue.
    jour
        Jour du transport collectif ; par défaut celui du territoire.
    aller_retour
        En transport collectif, exiger aussi le retour (fenêtre du soir).
    progression
        Rappel ``(étape, part faite)``.

    Raises
    ------
    ErreurConfiguration
        Service ou mode inconnu, aucun mode demandé, ou transport collectif sans la marche.
    ErreurDonnees
        Transport collectif demandé sans offre, sans jour, ou un jour hors de son calendrier.
    ErreurReseau
        Aucune rue praticable par un mode demandé.
    """
    durees: dict[str, float] = {}
    retenus = _choisir_services(territoire.services, services)
    jour = jour or territoire.date_service
    if modes is None:
        tc = territoire.offre is not None and jour is not None
        modes = (*MODES_RUE, TC) if tc else MODES_RUE
    _verifier_modes(modes)
    modes_rue = [m for m in MODES_RUE if m in modes]
    with _chronometrer(durees, "graphes"):
        graphes = construire_graphes(territoire, parametres, modes_rue)
    acces: dict[str, AccesMode] = {}
    transport = None
    for mode in modes_rue:
        with _chronometrer(durees, f"accès {mode}"):
            acces[mode] = calculer_acces_mode(
                graphes[mode],
                territoire.carreaux,
                territoire.equipements,
                territoire.points_acces,
                [s.id for s in retenus],
                rattachement_max_m=parametres.rattachement_max_m,
                progression=progression,
            )
    if TC in modes:
        offre, jour_etudie = _exiger_transport(territoire, jour)
        with _chronometrer(durees, "accès tc"):
            transport = calculer_acces_transport(
                offre,
                jour_etudie,
                graphes["marche"],
                parametres,
                territoire.carreaux,
                territoire.equipements,
                territoire.points_acces,
                acces["marche"],
                [regle_du_service(s, parametres.seuils).seuil_s for s in retenus],
                aller_retour=aller_retour,
                progression=progression,
            )
        acces[TC] = transport.mode
    with _chronometrer(durees, "indicateurs"):
        return _assembler(territoire, parametres, retenus, acces, transport, durees)


def _choisir_services(
    catalogue: Sequence[Service], demandes: Sequence[str] | None
) -> tuple[Service, ...]:
    if demandes is None:
        return tuple(catalogue)
    connus = {s.id: s for s in catalogue}
    inconnus = [d for d in demandes if d not in connus]
    if inconnus:
        raise ErreurConfiguration(
            "Service inconnu.",
            objet=", ".join(inconnus),
            attendu=", ".join(sorted(connus)),
            conseil="employer un identifiant de parametres/services.toml",
        )
    return tuple(connus[d] for d in demandes)


def _exiger_transport(territoire: Territoire, jour: date | None) -> tuple[OffreTransport, date]:
    if territoire.offre is None:
        raise ErreurDonnees(
            "Ce territoire n'a pas d'offre de transport collectif.",
            objet=territoire.nom,
            conseil="ajouter [transport] gtfs = [...] au manifeste et le préparer de nouveau",
        )
    if jour is None:
        raise ErreurDonnees(
            "Le jour étudié en transport collectif n'est pas connu.",
            objet=territoire.nom,
            conseil="donner date_service dans la section [transport] du manifeste",
        )
    return territoire.offre, jour


def _verifier_modes(modes: Sequence[str]) -> None:
    inconnus = [m for m in modes if m not in MODES]
    if inconnus or not modes:
        raise ErreurConfiguration(
            "Mode de déplacement inconnu." if inconnus else "Aucun mode de déplacement demandé.",
            objet="modes",
            attendu=", ".join(MODES),
            trouve=", ".join(inconnus) or None,
        )
    if TC in modes and "marche" not in modes:
        raise ErreurConfiguration(
            "Le transport collectif se rejoint à pied : la marche doit être calculée aussi.",
            objet="modes",
            trouve=", ".join(modes),
            conseil="ajouter « marche » aux modes",
        )


@contextmanager
def _chronometrer(durees: dict[str, float], etape: str) -> Iterator[None]:
    debut = time.perf_counter()
    yield
    durees[etape] = time.perf_counter() - debut


def _assembler(
    territoire: Territoire,
    parametres: Parametres,
    services: tuple[Service, ...],
    acces: dict[str, AccesMode],
    transport: AccesTransport | None,
    durees: dict[str, float],
) -> ResultatEtude:
    # À la précision où ils seront gardés : tout chiffre se recalcule de la table des carreaux.
    acces = {
        mode: replace(a, temps_s=a.temps_s.astype(np.float32).astype(np.float64))
        for mode, a in acces.items()
    }
    temps = {mode: a.temps_s for mode, a in acces.items()}
    rapide = calculer_plus_rapide(temps, services, parametres.seuils)
    proche_rapide = _equipement_plus_rapide(acces, rapide, services, parametres)
    zonages = construire_zonages(territoire.carreaux, territoire.communes, territoire.nom)
    poids, par_population = calculer_ponderation(territoire.carreaux)
    indicateurs = calculer_indicateurs(
        {**temps, PLUS_RAPIDE: rapide},
        services,
        parametres.seuils,
        zonages,
        poids,
        par_population=par_population,
    )
    carences = calculer_carences(
        rapide,
        proche_rapide,
        services,
        parametres.seuils,
        zonages,
        poids,
        territoire.equipements,
        par_population=par_population,
    )
    return ResultatEtude(
        acces=_table_acces(
            territoire.carreaux,
            territoire.communes,
            services,
            acces,
            rapide,
            proche_rapide,
            transport,
        ),
        indicateurs=indicateurs,
        carences=carences,
        constats=tuple(
            relever_constats(
                territoire,
                services,
                acces,
                parametres,
                par_population=par_population,
                jour=None if transport is None else transport.jour,
            )
        ),
        services=services,
        modes=tuple(acces),
        parametres=parametres,
        empreinte_territoire=territoire.empreinte,
        par_population=par_population,
        durees_s=durees,
        jour=None if transport is None else transport.jour,
        sources=territoire.sources,
        aller_retour=transport is not None and transport.retour_s is not None,
    )


def _equipement_plus_rapide(
    acces: dict[str, AccesMode],
    rapide: NDArray[np.float64],
    services: Sequence[Service],
    parametres: Parametres,
) -> NDArray[np.int32]:
    """Équipement atteint par le plus rapide des modes admis (à égalité, le premier de la règle)."""
    resultat = np.full(rapide.shape, -1, dtype=np.int32)
    for colonne, service in enumerate(services):
        for mode in reversed(regle_du_service(service, parametres.seuils).modes):
            if mode in acces:
                egal = acces[mode].temps_s[:, colonne] == rapide[:, colonne]
                resultat[egal, colonne] = acces[mode].equipement[egal, colonne]
    return resultat


def _table_acces(
    carreaux: pd.DataFrame,
    communes: pd.DataFrame,
    services: Sequence[Service],
    acces: dict[str, AccesMode],
    rapide: NDArray[np.float64],
    proche_rapide: NDArray[np.int32],
    transport: AccesTransport | None,
) -> pd.DataFrame:
    facultatives = [c for c in (*COLONNES_AGES, "ind_snv") if c in carreaux]
    colonnes: dict[str, NDArray[np.generic]] = {
        "carreau": carreaux["carreau"].to_numpy(),
        "code_commune": carreaux["code_commune"].to_numpy(),
        **{nom: zones_des_carreaux(carreaux, communes, nom) for nom in COLONNES_REGROUPEMENTS},
        **{
            nom: carreaux[nom].to_numpy()
            for nom in ("population_hab", "surface_m2", "impute", *facultatives)
        },
    }
    tous = {mode: (a.temps_s, a.equipement) for mode, a in acces.items()}
    tous[PLUS_RAPIDE] = (rapide, proche_rapide)
    for mode, (temps, equipement) in tous.items():
        for c, service in enumerate(services):
            colonnes[colonne_temps(service.id, mode)] = temps[:, c].astype(np.float32)
            colonnes[colonne_proche(service.id, mode)] = equipement[:, c]
    if transport is not None:
        for c, service in enumerate(services):
            for centile, valeurs in transport.centiles.items():
                colonnes[f"temps_{service.id}_tc_p{centile:g}_s"] = valeurs[:, c]
            colonnes[f"part_{service.id}_tc"] = transport.part_seuil[:, c]
            if transport.retour_s is not None:
                colonnes[f"temps_{service.id}_tc_retour_s"] = transport.retour_s[:, c]
    return pd.DataFrame(colonnes, index=carreaux.index)
