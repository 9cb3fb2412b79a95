"""Niveaux gradués d'accès, et nombre d'équipements au choix, par zone.

« Oui ou non » sature en ville : chaque habitant est rangé dans un niveau de temps (0–5, 5–10,
10–15, 15–30, plus de 30 min, inaccessible, sans donnée). La somme des niveaux d'une ligne est la
population de la zone.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    Zonage,
    assembler_blocs,
    calculer_medianes,
    compter_classes,
    diviser,
    etiqueter_zones,
    ordonner_colonnes,
    sommer_par_zone,
)
from accessibilite.bilans.choix import ChoixMode, compter_choix
from accessibilite.bilans.indicateurs import PANIER_COMPLET, PLUS_RAPIDE
from accessibilite.bilans.mesures import Mesures, vider_habitants
from accessibilite.bilans.synthese import couper_classes


def nommer_niveaux(bornes_s: Sequence[float]) -> list[str]:
    """Nom de chaque niveau, dans l'ordre ; inaccessible et sans donnée sont les derniers.

    Examples
    --------
    >>> nommer_niveaux([300, 900])
    ['de_0_a_5_min', 'de_5_a_15_min', 'plus_de_15_min', 'inaccessible', 'sans_donnee']
    """
    minutes = [f"{b / 60:g}" for b in (0, *bornes_s)]
    tranches = [f"de_{a}_a_{b}_min" for a, b in itertools.pairwise(minutes)]
    return [*tranches, f"plus_de_{minutes[-1]}_min", "inaccessible", "sans_donnee"]


def classer_niveaux(temps_s: NDArray[np.float64], bornes_s: Sequence[float]) -> NDArray[np.int64]:
    """Rang du niveau de chaque temps (voir :func:`nommer_niveaux`), int64, même forme."""
    classes = couper_classes(temps_s, bornes_s)
    dernier = len(bornes_s)
    classes[classes == -1] = dernier + 1
    classes[classes == -2] = dernier + 2
    return classes


def calculer_niveaux(mesures: Mesures, bornes_s: Sequence[float]) -> pd.DataFrame:
    """Habitants de chaque niveau par zone, service et mode.

    Parameters
    ----------
    mesures
        Diagnostic.
    bornes_s
        Bornes hautes des niveaux, secondes ; une borne appartient au niveau qu'elle ferme.

    Returns
    -------
    pandas.DataFrame
        ``zone_*``, ``palier``, ``fonction``, ``service``, ``mode``, ``population_hab``, puis
        ``<niveau>_hab`` et ``part_<niveau>``. Le service ``panier_complet`` est le plus lointain
        des services connus d'un palier.
    """
    noms = nommer_niveaux(bornes_s)
    lots = [(mode, *_etiquettes(mesures), temps) for mode, temps in mesures.temps_s.items()]
    lots.append((PLUS_RAPIDE, *_paniers(mesures)))
    blocs = []
    for zonage in mesures.zonages:
        totaux = sommer_par_zone(zonage, mesures.poids)
        for mode, paliers, fonctions, services, temps in lots:
            classes = classer_niveaux(temps, bornes_s)
            comptes = compter_classes(zonage, classes, len(noms), mesures.poids)
            zones, nombre = len(zonage.codes), len(services)
            plats = comptes.transpose(1, 0, 2).reshape(zones * nombre, len(noms))
            total = np.tile(totaux, nombre)
            blocs.append(
                {
                    **etiqueter_zones(zonage, nombre),
                    "palier": np.repeat(np.array(paliers, dtype=object), zones),
                    "fonction": np.repeat(np.array(fonctions, dtype=object), zones),
                    "service": np.repeat(np.array(services, dtype=object), zones),
                    "mode": np.full(zones * nombre, mode, dtype=object),
                    "population_hab": total,
                    **{f"{nom}_hab": plats[:, r] for r, nom in enumerate(noms)},
                    **{f"part_{nom}": diviser(plats[:, r], total) for r, nom in enumerate(noms)},
                }
            )
    return vider_habitants(assembler_blocs(blocs), mesures)


def _etiquettes(mesures: Mesures) -> tuple[list[str], list[str], list[str]]:
    services = mesures.services
    return [s.palier for s in services], [s.fonction for s in services], [s.id for s in services]


def _paniers(
    mesures: Mesures,
) -> tuple[list[str], list[str], list[str], NDArray[np.float64]]:
    """Temps du panier complet de chaque palier mesuré."""
    paliers: list[str] = []
    pires = []
    for seuil in mesures.seuils:
        ici = mesures.connus & np.array([s.palier == seuil.palier for s in mesures.services])
        if ici.any():
            paliers.append(seuil.palier)
            pires.append(mesures.rapide_s[:, ici].max(axis=1))
    temps = np.column_stack(pires) if pires else np.empty((len(mesures.poids), 0))
    return paliers, [""] * len(paliers), [PANIER_COMPLET] * len(paliers), temps


def calculer_choix_zones(mesures: Mesures, choix: Mapping[str, ChoixMode]) -> pd.DataFrame:
    """Choix offert par zone, service et mode de rue.

    Parameters
    ----------
    choix
        Mode → choix des carreaux, pour les services de ``mesures``.

    Returns
    -------
    pandas.DataFrame
        ``zone_*``, ``palier``, ``fonction``, ``service``, ``mode``, ``seuil_s``,
        ``population_hab``, ``temps_median_<rang>_s`` du premier au k-ième équipement distinct, et
        ``choix_<n>_hab`` : habitants qui ont n équipements sous le seuil (le dernier : « ou
        plus »), ``choix_sans_donnee_hab``.
    """
    ordres = {
        (mode, r): ordonner_colonnes(c.temps_s[:, :, r])
        for mode, c in choix.items()
        for r in range(c.temps_s.shape[2])
    }
    blocs = [
        _bloc_choix(mesures, zonage, mode, un_mode, ordres)
        for zonage in mesures.zonages
        for mode, un_mode in choix.items()
    ]
    return vider_habitants(assembler_blocs(blocs), mesures)


def _bloc_choix(
    mesures: Mesures,
    zonage: Zonage,
    mode: str,
    choix: ChoixMode,
    ordres: Mapping[tuple[str, int], NDArray[np.int64]],
) -> dict[str, NDArray[np.generic]]:
    k = choix.temps_s.shape[2]
    zones, nombre = len(zonage.codes), len(mesures.services)
    comptes = compter_choix(choix.temps_s, mesures.seuils_s).astype(np.int64)
    classes = np.where(comptes < 0, k + 1, comptes)
    par_nombre = compter_classes(zonage, classes, k + 2, mesures.poids)
    plats = par_nombre.transpose(1, 0, 2).reshape(zones * nombre, k + 2)
    medianes = {
        f"temps_median_{r + 1}_s": calculer_medianes(
            zonage, choix.temps_s[:, :, r], mesures.poids, ordres[mode, r]
        ).T.ravel()
        for r in range(k)
    }
    return {
        **etiqueter_zones(zonage, nombre),
        "palier": mesures.etiquettes("palier", zones),
        "fonction": mesures.etiquettes("fonction", zones),
        "service": mesures.etiquettes("id", zones),
        "mode": np.full(zones * nombre, mode, dtype=object),
        "seuil_s": np.repeat(mesures.seuils_s, zones),
        "population_hab": np.tile(sommer_par_zone(zonage, mesures.poids), nombre),
        **medianes,
        **{f"choix_{n}_hab": plats[:, n] for n in range(k + 1)},
        "choix_sans_donnee_hab": plats[:, k + 1],
    }
