"""Configuration : manifeste d'un territoire, paramètres de l'étude, catalogue des services.

Porte d'entrée : ``lire_manifeste``, ``lire_parametres``, ``lire_services`` et les classes lues.
"""

from donnees_geo.configuration.manifeste import (
    lire_manifeste,
    lister_fichiers,
    verifier_crs_metrique,
)
from donnees_geo.configuration.modeles import (
    Emprise,
    FicheParametre,
    FichierService,
    Manifeste,
    MethodePopulation,
    Parametres,
    Service,
    SeuilPalier,
    SourceService,
)
from donnees_geo.configuration.parametres import (
    decrire_parametres,
    lire_parametres,
    lire_services,
)

__all__ = [
    "Emprise",
    "FicheParametre",
    "FichierService",
    "Manifeste",
    "MethodePopulation",
    "Parametres",
    "Service",
    "SeuilPalier",
    "SourceService",
    "decrire_parametres",
    "lire_manifeste",
    "lire_parametres",
    "lire_services",
    "lister_fichiers",
    "verifier_crs_metrique",
]
