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


class TirageAdresses:
    """Tirage d'adresses par commune, de préférence au centre et sur les voies passantes."""

    def __init__(self, adresses: Adresses) -> None:
        noms, inverse = np.unique(adresses.nature, return_inverse=True)
        attrait = np.array([ATTRAIT_VOIES.get(str(n), 1.0) for n in noms])[inverse]
        self._ordre = np.argsort(adresses.commune, kind="stable")
        self._attrait = (attrait * adresses.poids)[self._ordre]
        self._rang = np.clip(adresses.rang, 0, 3)[self._ordre]
        self._commune = adresses.commune[self._ordre]

    def tirer(self, effectifs: Entiers, etalement: float, hasard: np.random.Generator) -> Entiers:
        """Rangs d'adresses, rangés par commune.

        Parameters
        ----------
        effectifs
            int64[communes], nombre d'adresses à tirer par commune.
        etalement
            Décroissance de l'attrait avec l'éloignement (0,15 : au centre ; 1 : tout le bâti).
        """
        attrait = self._attrait * np.exp(-self._rang / etalement) + 1e-12
        cumul = np.concatenate([[0.0], np.cumsum(attrait)])
        bornes = np.searchsorted(self._commune, np.arange(effectifs.size + 1))
        debut, fin = cumul[bornes[:-1]], cumul[bornes[1:]]
        commune = np.repeat(np.arange(effectifs.size), np.where(fin > debut, effectifs, 0))
        cible = debut[commune] + hasard.random(commune.size) * (fin - debut)[commune]
        rang = np.searchsorted(cumul, cible, side="right") - 1
        rang = np.clip(rang, bornes[:-1][commune], bornes[1:][commune] - 1)
        return np.asarray(self._ordre[rang])
