"""Téléchargement des données ouvertes d'une intercommunalité : seul endroit qui parle au réseau.

La porte d'entrée est :func:`telecharger_territoire`. Les adresses sont dans
``parametres/sources.toml``, jamais dans le code.
"""

from donnees_geo.telechargement.cache import dossier_cache_par_defaut
from donnees_geo.telechargement.catalogue import Catalogue, SourceOuverte, lire_catalogue
from donnees_geo.telechargement.execution import Demande, telecharger_territoire
from donnees_geo.telechargement.modele import Bilan, EtatSource, Statut

__all__ = [
    "Bilan",
    "Catalogue",
    "Demande",
    "EtatSource",
    "SourceOuverte",
    "Statut",
    "dossier_cache_par_defaut",
    "lire_catalogue",
    "telecharger_territoire",
]
