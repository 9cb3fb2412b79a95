"""Ce que rend un téléchargement : état de chaque source, bilan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Statut(StrEnum):
    """État d'une source à la fin d'un téléchargement."""

    RECU = "reçu"
    A_JOUR = "déjà là"
    A_LA_MAIN = "à la main"
    PARTIEL = "partiel"
    PREVU = "prévu"
    MANQUANT = "manquant"
    FACULTATIF = "facultatif"
    SANS_OBJET = "sans objet"


@dataclass(frozen=True)
class EtatSource:
    """Une source après la tentative.

    Attributes
    ----------
    id, titre, obligatoire
        Comme au catalogue.
    statut
        Ce qu'il en est.
    fichiers
        Fichiers présents, relatifs au dossier du territoire.
    taille_octets
        Leur taille, ou ce qui serait téléchargé (simulation) ; ``None`` si elle est inconnue.
    message
        Ce qui manque ou ce qui a changé, en une phrase ; vide si rien à dire.
    attendu
        Fichier où poser la donnée à la main, relatif au dossier.
    page
        Page du producteur, pour la trouver.
    verifie
        Faux : les adresses du catalogue n'ont pas été essayées.
    """

    id: str
    titre: str
    obligatoire: bool
    statut: Statut
    fichiers: tuple[str, ...] = ()
    taille_octets: int | None = None
    message: str = ""
    attendu: str = ""
    page: str = ""
    verifie: bool = True


@dataclass(frozen=True)
class Bilan:
    """Résultat d'un téléchargement.

    Attributes
    ----------
    nom, epci
        Intercommunalité.
    dossier
        Dossier du territoire.
    communes, population_hab
        Nombre de communes et population municipale (NaN si la source ne la donne pas).
    departements
        Départements que touche le territoire élargi.
    marge_m
        Élargissement retenu, mètres.
    manifeste
        Manifeste écrit ; ``None`` en simulation, ou si rien ne permet d'en écrire un.
    sources
        État de chaque source, dans l'ordre du catalogue.
    changements
        Phrases : ce qu'un rafraîchissement a changé.
    """

    nom: str
    epci: str
    dossier: Path
    communes: int
    population_hab: float
    departements: tuple[str, ...]
    marge_m: float
    manifeste: Path | None
    sources: tuple[EtatSource, ...]
    changements: tuple[str, ...] = ()

    @property
    def manques_obligatoires(self) -> tuple[EtatSource, ...]:
        """Sources sans lesquelles l'étude n'a pas de sens, et qui manquent."""
        return tuple(s for s in self.sources if s.obligatoire and s.statut is Statut.MANQUANT)
