"""Recherche naïve en transport collectif : l'oracle des essais, écrit sans rien des noyaux.

Pour une heure de départ donnée, elle essaie toutes les courses, toutes les montées et toutes les
descentes, véhicule après véhicule.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

INFINI = float("inf")


@dataclass
class Course:
    """Passages ``(arrêt, arrivée, départ, montée, descente)``."""

    passages: list[tuple[int, int, int, bool, bool]]


@dataclass
class Passages:
    """Courses au format attendu par ``construire_horaire``."""

    debut: np.ndarray
    arret: np.ndarray
    arrivee_s: np.ndarray
    depart_s: np.ndarray
    montee: np.ndarray
    descente: np.ndarray

    @property
    def debut_vehicules(self) -> np.ndarray:
        """Aucune course n'en continue une autre."""
        return self.debut


@dataclass
class Ville:
    """Petit réseau : courses, correspondances ``(depuis, vers) → secondes``, marge comprise."""

    arrets: int
    courses: list[Course]
    correspondances: dict[tuple[int, int], int] = field(default_factory=dict)

    def passages(self) -> Passages:
        plats = [p for c in self.courses for p in c.passages]
        tableau = np.array([p[:3] for p in plats], dtype=np.int32).reshape(-1, 3)
        droits = np.array([p[3:] for p in plats], dtype=bool).reshape(-1, 2)
        return Passages(
            np.cumsum([0, *(len(c.passages) for c in self.courses)]).astype(np.int64),
            tableau[:, 0],
            tableau[:, 1],
            tableau[:, 2],
            droits[:, 0],
            droits[:, 1],
        )

    def csr(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return csr_de_paires(self.correspondances, self.arrets)


def csr_de_paires(paires: dict[tuple[int, int], int], lignes: int):
    cles = sorted(paires)
    nombre = np.bincount([a for a, _ in cles], minlength=lignes) if cles else np.zeros(lignes, int)
    return (
        np.concatenate([[0], np.cumsum(nombre)]).astype(np.int64),
        np.array([b for _, b in cles], dtype=np.int32),
        np.array([paires[c] for c in cles], dtype=np.int32),
    )


def arrivees_aux_arrets(ville, depart_s, acces, marge_s, trajets_max):
    """Heure de descente au plus tôt à chaque arrêt, avec au plus ``trajets_max`` véhicules."""
    pret = {a: depart_s + w + marge_s for a, w in acces.items()}
    arrivee = dict.fromkeys(range(ville.arrets), INFINI)
    for _ in range(trajets_max):
        for course in ville.courses:
            a_bord = False
            for arret, arr, dep, montee, descente in course.passages:
                if a_bord and descente:
                    arrivee[arret] = min(arrivee[arret], arr)
                if montee and pret.get(arret, INFINI) <= dep:
                    a_bord = True
        for (de, vers), duree in ville.correspondances.items():
            pret[vers] = min(pret.get(vers, INFINI), arrivee[de] + duree)
    return arrivee


def duree_porte_a_porte(
    ville, depart_s, acces, sortie, *, marge_s=0, trajets_max=4, duree_max_s=10**9, marche=INFINI
):
    """Durée au plus court, marche directe comprise ; ``inf`` au-delà de la durée maximale."""
    arrivee = arrivees_aux_arrets(ville, depart_s, acces, marge_s, trajets_max)
    durees = [arrivee[a] + w - depart_s for a, w in sortie.items()]
    meilleur = min([*durees, marche])
    return meilleur if meilleur <= duree_max_s else INFINI
