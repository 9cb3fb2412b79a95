"""Placement de points dans les communes : combien par commune, et à quelle adresse."""

from __future__ import annotations

import numpy as np

from donnees_geo.demo.cadre import Entiers, Flottants
from donnees_geo.demo.population import Adresses

#: Attrait commercial des voies : les rues de centre et les grandes routes attirent.
ATTRAIT_VOIES = {
    "rue_centre": 3.0,
    "pietonne": 7.0,
    "primary": 3.5,
    "secondary": 3.0,
    "tertiary": 2.2,
    "collectrice": 1.3,
    "rue_activite": 0.6,
    "chemin": 0.0,
}


def repartir(total: int, poids: Flottants) -> Entiers:
    """Partager un effectif entre communes au plus fort reste.

    Invariant : la somme du résultat est ``total`` dès qu'un poids est positif.
    """
    parts = total * poids / max(float(poids.sum()), 1e-12)
    entieres = np.floor(parts).astype(np.int64)
    manque = total - int(entieres.sum())
    ordre = np.argsort(-(parts - entieres), kind="stable")[: max(manque, 0)]
    entieres[ordre] += poids[ordre] > 0
    return entieres


def tirer_adresses(
    adresses: Adresses, effectifs: Entiers, etalement: float, hasard: np.random.Generator
) -> Entiers:
    """Rangs d'adresses tirées dans chaque commune, de préférence au centre.

    Parameters
    ----------
    effectifs
        int64[communes], nombre d'adresses à tirer par commune.
    etalement
        Décroissance de l'attrait avec l'éloignement (0,15 : au centre ; 1 : partout dans le bâti).
    """
    noms, inverse = np.unique(adresses.nature, return_inverse=True)
    attrait = np.array([ATTRAIT_VOIES.get(str(n), 1.0) for n in noms])[inverse]
    attrait = attrait * adresses.poids * np.exp(-np.clip(adresses.rang, 0, 3) / etalement) + 1e-12
    ordre = np.argsort(adresses.commune, kind="stable")
    cumul = np.concatenate([[0.0], np.cumsum(attrait[ordre])])
    bornes = np.searchsorted(adresses.commune[ordre], np.arange(effectifs.size + 1))
    debut, fin = cumul[bornes[:-1]], cumul[bornes[1:]]
    possible = fin > debut
    commune = np.repeat(np.arange(effectifs.size), np.where(possible, effectifs, 0))
    cible = debut[commune] + hasard.random(commune.size) * (fin - debut)[commune]
    rang = np.searchsorted(cumul, cible, side="right") - 1
    rang = np.clip(rang, bornes[:-1][commune], bornes[1:][commune] - 1)
    adresses_tirees: Entiers = ordre[rang]
    return adresses_tirees
