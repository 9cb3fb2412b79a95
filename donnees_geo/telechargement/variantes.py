"""Source prise autrement sur un petit territoire : OpenStreetMap par Overpass.

Un extrait régional pèse des centaines de mégaoctets ; pour quelques communes, le service Overpass
rend en une requête les seuls objets que la lecture emploie. La requête est au catalogue et passe
par le client du programme, comme toute autre adresse. Le téléchargeur d'osmnx n'est pas employé :
il rend un graphe ou des tables et non un fichier OSM, découpe la demande en sous-requêtes,
recommence sans limite quand le service est saturé, tient son propre cache et ignore le mode hors
ligne comme les limites de taille.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from donnees_geo.telechargement.catalogue import Catalogue, SourceOuverte
from donnees_geo.telechargement.cible import Cible

#: ``auto`` : Overpass si le territoire est assez petit, et l'extrait régional à défaut.
ChoixOsm = Literal["auto", "geofabrik", "overpass"]


@dataclass(frozen=True)
class Retenues:
    """Sources d'un territoire.

    Attributes
    ----------
    catalogue
        Le catalogue où chaque source est prise de la façon qui convient, sous son identifiant.
    replis
        Identifiant → source à demander si celle du catalogue ne donne rien.
    """

    catalogue: Catalogue
    replis: Mapping[str, SourceOuverte]


def retenir_sources(catalogue: Catalogue, choix: ChoixOsm, cible: Cible) -> Retenues:
    """Choisir, pour chaque source qui a une variante, la façon de la prendre.

    Raises
    ------
    ErreurConfiguration
        Overpass est exigé et le catalogue ne le connaît pas.
    ErreurDonnees
        Overpass est exigé pour un territoire trop grand.
    """
    variantes = {s.variante_de: s for s in catalogue.sources if s.variante_de}
    if choix == "overpass" and not variantes:
        raise ErreurConfiguration(
            "Le catalogue ne donne pas d'adresse d'Overpass.",
            objet=catalogue.chemin,
            attendu="une source « variante_de » celle d'OpenStreetMap",
        )
    surface_km2 = cible.emprise.envelope.area / 1e6
    sources = []
    replis = {}
    for source in catalogue.sources:
        variante = variantes.get(source.id)
        if source.variante_de:
            continue
        if variante is None or choix == "geofabrik":
            sources.append(source)
            continue
        petit = surface_km2 <= variante.surface_max_km2
        if choix == "overpass" and not petit:
            raise ErreurDonnees(
                "Territoire trop grand pour Overpass, service public et partagé.",
                objet=f"{cible.nom}, {cible.marge_m / 1000:.0f} km de marge",
                attendu=f"au plus {variante.surface_max_km2:.0f} km² (surface_max_km2, catalogue)",
                trouve=f"{surface_km2:.0f} km²",
                conseil="prenez l'extrait régional (--osm geofabrik)",
            )
        sources.append(_sous_son_nom(variante, source) if petit else source)
        if petit and choix == "auto":
            replis[source.id] = source
    return Retenues(replace(catalogue, sources=tuple(sources)), replis)


def _sous_son_nom(variante: SourceOuverte, principale: SourceOuverte) -> SourceOuverte:
    return replace(variante, id=principale.id, obligatoire=principale.obligatoire, variante_de="")
