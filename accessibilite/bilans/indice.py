"""Indice de la demi-heure et paniers de services, par zone, sans poids caché."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    Zonage,
    assembler_blocs,
    diviser,
    etiqueter_zones,
    sommer_par_zone,
)
from accessibilite.bilans.indicateurs import regle_du_service
from accessibilite.bilans.mesures import Mesures, vider_habitants
from donnees_geo.conventions import FONCTIONS, LIBELLES_MODES

#: Texte de la page Méthode et des documents remis.
FORMULE_INDICE: Final = "\n\n".join(
    (
        "Un carreau satisfait un service quand son plus proche équipement est atteint, par le plus "
        "rapide des modes admis par le palier du service, en un temps inférieur ou égal au seuil "
        "du palier.",
        "Indice de la demi-heure d'une zone = habitants des carreaux qui satisfont TOUS les "
        "services des trois paliers ÷ habitants de la zone.",
        "Le même quotient est donné pour chaque palier (tous les services du palier) et pour "
        "chacune des sept fonctions (tous les services de la fonction, chacun au seuil de son "
        "palier).",
        "Part moyenne des services = moyenne, sur les habitants de la zone, du nombre de services "
        "satisfaits divisé par le nombre de services. Chaque service compte pour un, chaque "
        "habitant pour un : il n'y a aucun autre poids.",
        "Un service sans aucun équipement connu, ou dont aucun mode admis n'est calculé, n'est pas "
        "compté ; leur nombre est donné. Si un palier n'a aucun service mesuré, l'indice "
        "d'ensemble n'est pas calculé. Les habitants d'un carreau non rattaché aux rues sont "
        "comptés comme non satisfaits.",
    )
)

_ENSEMBLE: Final = "ensemble"


def calculer_indice(mesures: Mesures) -> pd.DataFrame:
    """Indice de la demi-heure par zone, décomposé (formule : :data:`FORMULE_INDICE`).

    Returns
    -------
    pandas.DataFrame
        ``zone_*``, ``volet`` (``ensemble``, ``palier``, ``fonction``), ``code``,
        ``nombre_services``, ``services_sans_donnee``, ``population_hab``, ``part_imputee``,
        ``population_regle_hab``, ``part_regle`` (tous les services), ``part_services`` (part
        moyenne des services atteints). NaN pour une zone sans habitants ou un volet sans service
        mesuré.
    """
    satisfaits = mesures.satisfaits.astype(np.float64)
    blocs = []
    for zonage in mesures.zonages:
        total = sommer_par_zone(zonage, mesures.poids)
        imputee = mesures.part_imputee(zonage)
        for volet, code, ici in _volets(mesures):
            retenus = ici & mesures.connus
            nombre = int(retenus.sum())
            if volet == _ENSEMBLE and not _paliers_mesures(mesures):
                nombre = 0
            tous, moyens = np.full(total.size, np.nan), np.full(total.size, np.nan)
            if nombre:
                atteints = satisfaits[:, retenus]
                complet = atteints.min(axis=1)
                tous = sommer_par_zone(zonage, mesures.poids * complet)
                moyens = sommer_par_zone(zonage, mesures.poids * atteints.mean(axis=1))
            blocs.append(
                {
                    **etiqueter_zones(zonage),
                    "volet": np.full(total.size, volet, dtype=object),
                    "code": np.full(total.size, code, dtype=object),
                    "nombre_services": np.full(total.size, int(retenus.sum())),
                    "services_sans_donnee": np.full(total.size, int((ici & ~retenus).sum())),
                    "population_hab": total,
                    "part_imputee": imputee,
                    "population_regle_hab": tous,
                    "part_regle": diviser(tous, total),
                    "part_services": diviser(moyens, total),
                }
            )
    return vider_habitants(assembler_blocs(blocs), mesures)


def _volets(mesures: Mesures) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Volets de l'indice : nom, code, et services qui en sont."""
    services = mesures.services
    yield _ENSEMBLE, "", np.ones(len(services), dtype=bool)
    for seuil in mesures.seuils:
        yield "palier", seuil.palier, np.array([s.palier == seuil.palier for s in services])
    for fonction in FONCTIONS:
        ici = np.array([s.fonction == fonction for s in services])
        if ici.any():
            yield "fonction", fonction, ici


def _paliers_mesures(mesures: Mesures) -> bool:
    """Vrai si chaque palier qui a des services en a au moins un de mesuré."""
    connus = mesures.connus
    paliers = np.array([s.palier for s in mesures.services])
    return all(connus[paliers == palier].any() for palier in np.unique(paliers))


def calculer_paniers(mesures: Mesures) -> pd.DataFrame:
    """Panier complet de chaque palier : part, service le plus souvent manquant, service décisif.

    Returns
    -------
    pandas.DataFrame
        ``zone_*``, ``palier``, ``seuil_s``, ``nombre_services``, ``population_hab``,
        ``population_panier_hab``, ``part_panier`` ; ``service_manquant`` : celui qui manque au plus
        grand nombre, ``population_manquant_hab`` ; ``service_decisif`` : celui qui manque seul au
        plus grand nombre (l'apporter complète leur panier), ``population_decisif_hab``. À égalité,
        le premier du catalogue ; vide si rien ne manque.
    """
    blocs = []
    satisfaits = mesures.satisfaits
    for zonage in mesures.zonages:
        total = sommer_par_zone(zonage, mesures.poids)
        for seuil in mesures.seuils:
            du_palier = np.array([s.palier == seuil.palier for s in mesures.services])
            colonnes = np.flatnonzero(du_palier & mesures.connus)
            if colonnes.size == 0:
                continue
            manque = ~satisfaits[:, colonnes]
            seul = manque & (manque.sum(axis=1) == 1)[:, None]
            complet = sommer_par_zone(zonage, mesures.poids * ~manque.any(axis=1))
            noms = np.array([mesures.services[c].id for c in colonnes], dtype=object)
            manquant, touches = _principal(zonage, manque, mesures.poids, noms)
            decisif, completes = _principal(zonage, seul, mesures.poids, noms)
            blocs.append(
                {
                    **etiqueter_zones(zonage),
                    "palier": np.full(total.size, seuil.palier, dtype=object),
                    "seuil_s": np.full(total.size, seuil.seuil_s),
                    "nombre_services": np.full(total.size, colonnes.size),
                    "population_hab": total,
                    "population_panier_hab": complet,
                    "part_panier": diviser(complet, total),
                    "service_manquant": manquant,
                    "population_manquant_hab": touches,
                    "service_decisif": decisif,
                    "population_decisif_hab": completes,
                }
            )
    return vider_habitants(assembler_blocs(blocs), mesures)


def _principal(
    zonage: Zonage,
    manque: NDArray[np.bool_],
    poids: NDArray[np.float64],
    noms: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """Service qui manque au plus grand poids dans chaque zone, et ce poids ; vide si rien."""
    # Arrondi : deux services à égalité ne se départagent pas sur un reste d'addition.
    sommes = sommer_par_zone(zonage, np.where(manque, poids[:, None], 0.0)).round(6)
    rang = sommes.argmax(axis=1)
    touches = sommes[np.arange(len(rang)), rang]
    return np.where(touches > 0, noms[rang], ""), touches


def regle_en_mots(mesures: Mesures) -> list[str]:
    """Rédiger la règle de chaque service, une ligne par service, pour la page Méthode."""
    lignes = []
    for service in mesures.services:
        regle = regle_du_service(service, mesures.seuils)
        modes = " ou ".join(LIBELLES_MODES[m] for m in regle.modes)
        lignes.append(f"{service.libelle} : {regle.seuil_s / 60:g} min {modes}")
    return lignes
