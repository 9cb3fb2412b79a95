"""Accès selon l'âge : marcheurs à leur propre vitesse, enfants et école.

Le temps de marche est inversement proportionnel à la vitesse (rues, pente et approche), si bien que
les temps à une autre vitesse se déduisent des temps calculés sans nouvelle recherche.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    assembler_blocs,
    calculer_medianes,
    diviser,
    etiqueter_zones,
    ordonner_colonnes,
    sommer_par_zone,
)
from accessibilite.bilans.indicateurs import PLUS_RAPIDE, regle_du_service
from accessibilite.bilans.mesures import Mesures
from donnees_geo.configuration.analyses import (
    GroupeMarcheurs,
    ParametresAnalyses,
    PublicScolaire,
)


def publics_presents(carreaux: pd.DataFrame, reglages: ParametresAnalyses) -> dict[str, str]:
    """Tranches d'âge mesurées que les carreaux donnent : colonne → libellé, marcheurs d'abord."""
    voulus = {g.colonne: g.libelle for g in reglages.marcheurs}
    voulus |= {p.colonne: p.libelle for p in reglages.publics}
    return {colonne: libelle for colonne, libelle in voulus.items() if colonne in carreaux}


def ralentir_marche(
    temps_s: NDArray[np.float64], vitesse_kmh: float, vitesse_groupe_kmh: float
) -> NDArray[np.float64]:
    """Temps de marche à une autre vitesse, secondes ; ``inf`` et NaN sont gardés."""
    return temps_s * (vitesse_kmh / vitesse_groupe_kmh)


def calculer_marcheurs(
    mesures: Mesures,
    groupes: Sequence[GroupeMarcheurs],
    *,
    vitesse_marche_kmh: float,
    vitesse_senior_kmh: float,
) -> pd.DataFrame:
    """Services que chaque tranche d'âge atteint à pied à sa vitesse, et ceux qu'elle perd.

    Parameters
    ----------
    mesures
        Diagnostic, marche comprise.
    groupes
        Tranches d'âge ; celles que les carreaux n'ont pas sont laissées de côté.
    vitesse_marche_kmh
        Vitesse des temps calculés.
    vitesse_senior_kmh
        Vitesse d'un groupe qui n'en donne pas.

    Returns
    -------
    pandas.DataFrame
        Par zone, service dont le palier admet la marche et groupe : ``zone_*``, ``service``,
        ``groupe`` (colonne de l'INSEE), ``libelle``, ``vitesse_kmh``, ``seuil_s``,
        ``population_groupe_hab``, ``desservie_ordinaire_hab`` (à la vitesse de l'étude),
        ``desservie_hab`` (à leur vitesse), ``perdent_hab`` (la différence), ``part_desservie``,
        ``temps_median_s`` (à leur vitesse). Vide sans marche ou sans tranche d'âge.
    """
    retenus = [g for g in groupes if g.colonne in mesures.carreaux]
    colonnes = np.array(
        [
            "marche" in regle_du_service(s, mesures.seuils).modes and bool(mesures.connus[c])
            for c, s in enumerate(mesures.services)
        ],
        dtype=bool,
    )
    if "marche" not in mesures.temps_s or not colonnes.any():
        return pd.DataFrame()
    marche = mesures.temps_s["marche"][:, colonnes]
    seuils = mesures.seuils_s[colonnes]
    noms = np.array([s.id for s in mesures.services], dtype=object)[colonnes]
    ordre = ordonner_colonnes(marche)
    blocs = []
    for groupe in retenus:
        poids = np.nan_to_num(mesures.carreaux[groupe.colonne].to_numpy(dtype=np.float64))
        vitesse = groupe.vitesse_kmh or vitesse_senior_kmh
        lents = ralentir_marche(marche, vitesse_marche_kmh, vitesse)
        for zonage in mesures.zonages:
            zones, nombre = len(zonage.codes), noms.size
            total = np.tile(sommer_par_zone(zonage, poids), nombre)
            ordinaire = sommer_par_zone(zonage, np.where(marche <= seuils, poids[:, None], 0.0))
            propre = sommer_par_zone(zonage, np.where(lents <= seuils, poids[:, None], 0.0))
            blocs.append(
                {
                    **etiqueter_zones(zonage, nombre),
                    "service": np.repeat(noms, zones),
                    "groupe": np.full(zones * nombre, groupe.colonne, dtype=object),
                    "libelle": np.full(zones * nombre, groupe.libelle, dtype=object),
                    "vitesse_kmh": np.full(zones * nombre, vitesse),
                    "seuil_s": np.repeat(seuils, zones),
                    "population_groupe_hab": total,
                    "desservie_ordinaire_hab": ordinaire.T.ravel(),
                    "desservie_hab": propre.T.ravel(),
                    "perdent_hab": (ordinaire - propre).T.ravel(),
                    "part_desservie": diviser(propre.T.ravel(), total),
                    "temps_median_s": calculer_medianes(zonage, lents, poids, ordre).T.ravel(),
                }
            )
    return assembler_blocs(blocs)


def calculer_publics(mesures: Mesures, publics: Sequence[PublicScolaire]) -> pd.DataFrame:
    """Accès des enfants à l'école et à la crèche, par la règle du palier et par chaque mode.

    Returns
    -------
    pandas.DataFrame
        ``zone_*``, ``groupe``, ``libelle``, ``service``, ``mode``, ``seuil_s``,
        ``population_groupe_hab``, ``desservie_hab``, ``part_desservie``, ``temps_median_s``,
        ``ecart`` (en quoi la tranche d'âge ne suit pas le niveau). Vide sans tranche d'âge.
    """
    rangs = {s.id: c for c, s in enumerate(mesures.services)}
    modes = [PLUS_RAPIDE, *(m for m in mesures.temps_s if m != PLUS_RAPIDE)]
    blocs = []
    for public in publics:
        if public.colonne not in mesures.carreaux:
            continue
        poids = np.nan_to_num(mesures.carreaux[public.colonne].to_numpy(dtype=np.float64))
        colonnes = [rangs[s] for s in public.services if s in rangs and mesures.connus[rangs[s]]]
        for colonne in colonnes:
            temps = np.column_stack([mesures.temps_s[m][:, colonne] for m in modes])
            seuil = mesures.seuils_s[colonne]
            ordre = ordonner_colonnes(temps)
            for zonage in mesures.zonages:
                zones, nombre = len(zonage.codes), len(modes)
                desservis = sommer_par_zone(zonage, np.where(temps <= seuil, poids[:, None], 0.0))
                desservis[:, np.isnan(temps).all(axis=0)] = np.nan
                total = np.tile(sommer_par_zone(zonage, poids), nombre)
                textes = (
                    ("groupe", public.colonne),
                    ("libelle", public.libelle),
                    ("service", mesures.services[colonne].id),
                )
                blocs.append(
                    {
                        **etiqueter_zones(zonage, nombre),
                        **{n: np.full(zones * nombre, v, dtype=object) for n, v in textes},
                        "mode": np.repeat(np.array(modes, dtype=object), zones),
                        "seuil_s": np.full(zones * nombre, seuil),
                        "population_groupe_hab": total,
                        "desservie_hab": desservis.T.ravel(),
                        "part_desservie": diviser(desservis.T.ravel(), total),
                        "temps_median_s": calculer_medianes(zonage, temps, poids, ordre).T.ravel(),
                        "ecart": np.full(zones * nombre, public.ecart, dtype=object),
                    }
                )
    return assembler_blocs(blocs)
