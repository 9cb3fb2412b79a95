"""Service Overpass de la boucle locale : répond à la requête du catalogue d'après un extrait OSM.

Seule la forme de requête du catalogue est comprise : un cadre, des clés de noeuds et de voies, un
nom, un motif de clés de relations, puis les membres de ce qui est trouvé. La réponse a l'ordre et
l'en-tête de celles du vrai service.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import osmium

from tests.fabriques.serveur_http import Requete, Source

CHEMIN = "/overpass-api.de/api/interpreter"
DATE = "2026-02-28T06:00:00Z"
_ENTETE = (
    '<osm version="0.6">\n<note>The data included in this document is from www.openstreetmap.org. '
    f'The data is made available under ODbL.</note>\n<meta osm_base="{DATE}"/>\n'
)


def servir_overpass(extrait: Path) -> Source:
    """Source d'un serveur local : la réponse à une requête Overpass sur un extrait."""

    def repondre(requete: Requete) -> bytes:
        return calculer_reponse(extrait, requete.parametres["DATA"])

    return repondre


@dataclass(frozen=True)
class Filtre:
    """Ce que demande une requête."""

    cadre: tuple[float, float, float, float]
    cles: frozenset[str]
    types_relation: str
    cles_relation: str
    nom: str

    def dedans(self, lieu: Any) -> bool:
        sud, ouest, nord, est = self.cadre
        return lieu.valid() and sud <= lieu.lat <= nord and ouest <= lieu.lon <= est

    def nomme(self, objet: Any) -> bool:
        return re.search(self.nom, objet.tags.get("name", ""), re.I) is not None

    def veut(self, objet: Any) -> bool:
        return any(tag.k in self.cles for tag in objet.tags) or self.nomme(objet)

    def veut_relation(self, objet: Any) -> bool:
        surface = re.search(self.types_relation, objet.tags.get("type", ""))
        voulue = surface and any(re.search(self.cles_relation, tag.k) for tag in objet.tags)
        return bool(voulue) or self.nomme(objet)


def lire_requete(requete: str) -> Filtre:
    """Comprendre une requête de la forme du catalogue ; une autre forme est une faute d'essai."""
    cadre = re.search(r"\[bbox:([-0-9.]+),([-0-9.]+),([-0-9.]+),([-0-9.]+)\]", requete)
    relations = re.search(r'rel\[type~"([^"]+)"\]\[~"([^"]+)"~"."\]', requete)
    nom = re.search(r'nwr\[name~"([^"]+)",i\];', requete)
    assert cadre is not None and relations is not None and nom is not None, requete
    assert "(._;>;);" in requete and requete.rstrip().endswith("out body;"), requete
    sud, ouest, nord, est = map(float, cadre.groups())
    cles = frozenset(re.findall(r'nw\["?([a-z_:]+)"?\];', requete))
    return Filtre((sud, ouest, nord, est), cles, relations[1], relations[2], nom[1])


@lru_cache
def calculer_reponse(extrait: Path, requete: str, remarque: str = "") -> bytes:
    """OSM XML que rend une requête ; ``remarque`` : le service s'est arrêté et le dit."""
    gardes = _choisir(extrait, lire_requete(requete))
    with tempfile.TemporaryDirectory() as dossier:
        sortie = Path(dossier) / "reponse.osm"
        with osmium.SimpleWriter(str(sortie)) as ecrit:
            for objet in osmium.FileProcessor(str(extrait)).with_filter(gardes.id_filter()):
                ecrit.add(objet)
        texte = sortie.read_text(encoding="utf-8")
    texte = re.sub(r' (version|timestamp|changeset|uid|user)="[^"]*"', "", texte)
    texte = re.sub(r"<osm[^>]*>\n", _ENTETE, texte, count=1)
    if remarque:
        texte = texte.replace("</osm>", f"<remark> {remarque} </remark>\n</osm>")
    return texte.encode()


def _choisir(extrait: Path, filtre: Filtre) -> Any:
    gardes = osmium.IdTracker()
    touchees: set[int] = set()
    for objet in osmium.FileProcessor(str(extrait)).with_locations():
        if objet.is_node():
            if filtre.dedans(objet.location) and filtre.veut(objet):
                gardes.add_node(objet.id)
        elif objet.is_way():
            if any(filtre.dedans(noeud.location) for noeud in objet.nodes):
                touchees.add(objet.id)
                if filtre.veut(objet):
                    gardes.add_way(objet.id)
        elif filtre.veut_relation(objet) and any(
            membre.type == "w" and membre.ref in touchees for membre in objet.members
        ):
            gardes.add_relation(objet.id)
    gardes.complete_backward_references(str(extrait), relation_depth=1)
    return gardes
