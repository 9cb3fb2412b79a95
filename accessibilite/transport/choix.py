"""Choix offert en transport collectif : les k plus proches lieux distincts, minute par minute.

À chaque minute de la fenêtre, les lieux d'un service sont rangés par temps porte à porte ; le
k-ième temps est ensuite résumé par le centile de l'étude, comme le premier l'est dans le
diagnostic. « Deux collèges en quinze minutes » veut donc dire : à la moitié des départs au moins,
deux collèges sont à quinze minutes, et ils peuvent n'être pas les mêmes d'un départ à l'autre.

Un balayage arrière par lieu suffit : il ne prend qu'une fraction de milliseconde, et un lieu plus
lointain que les k déjà trouvés n'est pas évalué.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
from numpy.typing import NDArray

from accessibilite.transport.balayage import ajouter_lieu, durees_plus_courtes
from accessibilite.transport.fenetre import rangs_centiles
from accessibilite.transport.horaires import INFINI_S
from accessibilite.transport.porte_a_porte import (
    LiensArrets,
    ReseauTc,
    chercher_profil,
)


@dataclass(frozen=True)
class LieuxService:
    """Lieux distincts d'un service.

    Attributes
    ----------
    marche_arrets_s
        int32[lieux, a], marche de chaque arrêt à chaque lieu, ``INFINI_S`` s'il est trop loin.
    marche_s
        int32[points, k], marche de bout en bout de chaque point à ses k plus proches lieux.
    marche_lieu
        int32[points, k], rang du lieu de chacune de ces marches, -1 sans.
    """

    marche_arrets_s: NDArray[np.int32]
    marche_s: NDArray[np.int32]
    marche_lieu: NDArray[np.int32]


def calculer_choix_lieux(
    reseau: ReseauTc,
    liens: LiensArrets,
    services: Sequence[LieuxService],
    *,
    centile: float,
    progression: Callable[[str, float], None] | None = None,
) -> list[NDArray[np.float32]]:
    """Temps des k plus proches lieux distincts de chaque service, pour chaque point.

    Parameters
    ----------
    reseau
        Réseau de la fenêtre.
    liens
        Marche (ou vélo) des points à leurs arrêts.
    services
        Lieux de chaque service ; k est le nombre de marches de bout en bout qu'ils donnent. Un lieu
        plus loin à pied que k autres ne peut être parmi les k plus proches que par un véhicule.
    centile
        Centile des départs.
    progression
        Rappel ``(étape, part faite)``.

    Returns
    -------
    list of numpy.ndarray
        float32[points, k] par service, croissant, secondes ; ``inf`` si ce centile des départs
        n'atteint pas tant de lieux dans la durée maximale.
    """
    _ = reseau.suites  # préparées avant les fils d'exécution
    resultats: list[NDArray[np.float32]] = []
    with ThreadPoolExecutor(max_workers=cpu_count() or 1) as fils:
        taches = [fils.submit(_chercher_service, reseau, liens, s, centile) for s in services]
        for tache in taches:
            resultats.append(tache.result())
            if progression is not None:
                progression("choix tc", len(resultats) / len(services))
    return resultats


def _chercher_service(
    reseau: ReseauTc, liens: LiensArrets, service: LieuxService, centile: float
) -> NDArray[np.float32]:
    """Les k plus proches lieux d'un service, float32[points, k]."""
    o = reseau.options
    minutes, budget = o.minutes, np.int32(o.duree_max_s)
    (rang,) = rangs_centiles([centile], minutes.size)
    n, k = service.marche_s.shape
    meilleures = np.full((n, k, minutes.size), INFINI_S, dtype=np.int32)
    marche = np.full(n, INFINI_S, dtype=np.int32)
    ordre = np.argsort(service.marche_lieu, axis=None, kind="stable")
    bornes = np.searchsorted(
        service.marche_lieu.ravel()[ordre], np.arange(len(service.marche_arrets_s) + 1)
    )
    for lieu, marche_arrets in enumerate(service.marche_arrets_s):
        paires = ordre[bornes[lieu] : bornes[lieu + 1]]
        marche[paires // k] = service.marche_s.ravel()[paires]
        profil = chercher_profil(reseau, marche_arrets, "vers")
        ajouter_lieu(
            profil, durees_plus_courtes(profil), liens, marche, o.embarquement_min_s, minutes,
            budget, rang, meilleures,
        )  # fmt: skip
        marche[paires // k] = INFINI_S
    meilleures.partition(rang, axis=2)
    temps = meilleures[:, :, rang].astype(np.float32)
    temps[meilleures[:, :, rang] >= INFINI_S] = np.inf
    return temps
