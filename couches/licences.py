"""Sources, millésimes et licences : ce que porte chaque export, et le fichier ``LICENCES.txt``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from couches.catalogue import fiche_de
from couches.couche import LICENCE_OUVERTE, ODBL, SIMULEE
from couches.textes import dire_dates
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.territoire import SourceLue, Territoire

FICHIER_LICENCES: Final = "LICENCES.txt"
A_VERIFIER: Final = "licence du producteur, à vérifier"
DU_TERRITOIRE: Final = "définie par le territoire"
SANS_MILLESIME: Final = "millésime non indiqué"
_ADRESSES: Final = {
    ODBL: "https://opendatacommons.org/licenses/odbl/1-0/",
    LICENCE_OUVERTE: "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
}
#: Début de clé du manifeste → (contenu, producteur, licence). La plus longue clé l'emporte.
_PROVENANCES: Final[dict[str, tuple[str, str, str]]] = {
    "reseau": ("Rues, eaux et bois", "les contributeurs d’OpenStreetMap", ODBL),
    "decoupage.communes": ("Communes", "", A_VERIFIER),
    "decoupage.bassins_de_vie": ("Bassins de vie", "", A_VERIFIER),
    "decoupage.secteurs": ("Secteurs", "", A_VERIFIER),
    "population": ("Population", "", A_VERIFIER),
    "services.bpe": ("Équipements", "Insee, base permanente des équipements", LICENCE_OUVERTE),
    "services.catalogue": ("Catalogue des services", "", DU_TERRITOIRE),
    "services": ("Lieux de service", "", A_VERIFIER),
    "emprise": ("Limite d’étude", "", DU_TERRITOIRE),
    "transport": ("Horaires", "", A_VERIFIER),
    "relief": ("Relief", "", A_VERIFIER),
    "couches.friches": ("Friches", "", A_VERIFIER),
    "couches.zones_inondables": ("Zonage réglementaire d’inondation", "", A_VERIFIER),
    "couches.commerces": ("Commerces", "", A_VERIFIER),
    "couches.marches": ("Marchés", "", A_VERIFIER),
    "couches.inondation_frequente": ("Crue fréquente", "", A_VERIFIER),
    "couches.inondation_moyenne": ("Crue moyenne", "", A_VERIFIER),
    "couches.inondation_extreme": ("Crue extrême", "", A_VERIFIER),
    "couches": ("Couche", "", A_VERIFIER),
}
#: Fichiers publics reconnus à leur nom : (motif, producteur, licence).
_RECONNUS: Final = (
    (r"carreaux_\d+m|filosofi", "Insee, Filosofi", LICENCE_OUVERTE),
    (r"^bpe\d\d", "Insee, base permanente des équipements", LICENCE_OUVERTE),
    (r"admin.?express|contours?_?iris", "IGN, Admin Express", LICENCE_OUVERTE),
    (r"^bv20\d\d|bassins?_?de_?vie", "Insee, bassins de vie", LICENCE_OUVERTE),
    (r"^n_(zone_reg|tri|inondable)", "services de l’État, risque inondation", LICENCE_OUVERTE),
    (r"friches-standard|cartofriches", "Cerema, Cartofriches", LICENCE_OUVERTE),
    (r"\.osm(\.pbf|\.gz|\.bz2)?$", "les contributeurs d’OpenStreetMap", ODBL),
    (r"rge_?alti|bd_?alti", "IGN", LICENCE_OUVERTE),
)

#: Formes brèves, pour un pied de page.
_COURTS: Final = {
    "Rues, eaux et bois": "rues",
    "Zonage réglementaire d’inondation": "zonage d’inondation",
    "Crue fréquente": "crues",
    "Crue moyenne": "crues",
    "Crue extrême": "crues",
    "les contributeurs d’OpenStreetMap": "OpenStreetMap",
    "Insee, base permanente des équipements": "Insee, BPE",
    "services de l’État, risque inondation": "État",
    "Cerema, Cartofriches": "Cartofriches",
}


@dataclass(frozen=True)
class SourceDecrite:
    """Une source telle que les exports la citent.

    Attributes
    ----------
    contenu
        Ce qu'elle apporte (« Population »).
    producteur
        Producteur, vide s'il n'est pas reconnu.
    fichier, millesime, licence, empreinte
        Fichier lu, millésime (ou « millésime non indiqué »), licence, SHA-256.
    """

    contenu: str
    producteur: str
    fichier: str
    millesime: str
    licence: str
    empreinte: str

    def citer(self) -> str:
        """Citation : « Population : Insee, Filosofi, 2019 »."""
        origine = self.producteur or self.fichier
        # Une source muette ne répète pas son silence à chaque ligne.
        date = f", {dire_dates(self.millesime)}" if self.millesime != SANS_MILLESIME else ""
        return f"{self.contenu}\u00a0: {origine}{date}"

    def citer_court(self, *, producteur: bool = True) -> str:
        """Citation d'un pied de page : « population (Insee, Filosofi, 2019) »."""
        nom = _COURTS.get(self.contenu, self.contenu[:1].lower() + self.contenu[1:])
        origine = _COURTS.get(self.producteur, self.producteur) if producteur else ""
        date = "" if self.millesime == SANS_MILLESIME else dire_dates(self.millesime, chiffres=True)
        precisions = ", ".join(t for t in (origine, date) if t)
        return f"{nom} ({precisions})" if precisions else nom

    def citer_avec_licence(self) -> str:
        """Citation complète : contenu, producteur, fichier, millésime, licence."""
        # « Donnée simulée » est déjà ce que dit la licence.
        auteur = [] if self.licence == SIMULEE else [self.producteur or "producteur non reconnu"]
        morceaux = [*auteur, self.fichier, dire_dates(self.millesime)]
        return f"{self.contenu}\u00a0: {', '.join(morceaux)} ({self.licence})"


def decrire_sources(territoire: Territoire) -> list[SourceDecrite]:
    """Sources d'un territoire, dans l'ordre du manifeste."""
    return [_decrire(s, fictif=territoire.fictif) for s in territoire.sources]


def _decrire(source: SourceLue, *, fictif: bool) -> SourceDecrite:
    cles = [c for c in _PROVENANCES if source.cle == c or source.cle.startswith((f"{c}.", f"{c} "))]
    reconnue = max(cles, key=len, default="")
    contenu, producteur, licence = _PROVENANCES.get(reconnue, ("Donnée", "", A_VERIFIER))
    if reconnue == "couches":
        contenu = _nommer_couche(source.cle.removeprefix("couches."))
    for motif, reconnu, libre in _RECONNUS:
        if re.search(motif, source.fichier, re.IGNORECASE):
            producteur, licence = reconnu, libre
            break
    producteur, licence = source.producteur or producteur, source.licence or licence
    if fictif:
        producteur, licence = "donnée simulée", SIMULEE
    return SourceDecrite(
        contenu, producteur, source.fichier, _millesime(source), licence, source.empreinte
    )


def _nommer_couche(cle: str) -> str:
    """Titre d'une couche de contexte ; une couche libre garde le nom de sa clé."""
    fiche = fiche_de(cle)
    return f"Couche «\u00a0{cle}\u00a0»" if fiche is None else fiche.titre


def _millesime(source: SourceLue) -> str:
    if source.date_donnees:
        return source.date_donnees
    bpe = re.match(r"bpe(\d\d)", source.fichier, re.IGNORECASE)
    return f"20{bpe[1]}" if bpe else SANS_MILLESIME


def dire_licences(sources: Sequence[SourceLue], *, fictif: bool) -> str:
    """Licences de quelques sources, chacune une fois ; vide sans source."""
    return ", ".join(dict.fromkeys(_decrire(s, fictif=fictif).licence for s in sources))


def lister_citations(territoire: Territoire) -> list[str]:
    """Sources d'un pied de page, sans doublon ; simulées, elles n'ont pas de producteur."""
    sources = decrire_sources(territoire)
    return list(dict.fromkeys(s.citer_court(producteur=not territoire.fictif) for s in sources))


def mentionner_sources(territoire: Territoire) -> str:
    """Sources en une phrase, pour une légende."""
    texte = ", ".join(lister_citations(territoire)) or "non indiquées"
    if territoire.fictif:
        return f"données simulées dans les formats publics, ce territoire n’existe pas : {texte}"
    return texte


def mention_sources(territoire: Territoire) -> str:
    """Mention courte de la carte : OpenStreetMap, et l'Insee si une source en vient."""
    if territoire.fictif:
        return "Données simulées, territoire fictif"
    insee = any(s.producteur.startswith("Insee") for s in decrire_sources(territoire))
    return "© les contributeurs d’OpenStreetMap" + (", Insee" if insee else "")


def contient_osm(territoire: Territoire) -> bool:
    """Vrai si des géométries tirées d'OpenStreetMap peuvent se trouver dans un export."""
    return any(s.licence == ODBL for s in decrire_sources(territoire))


def composer_licences(territoire: Territoire, fichiers: Sequence[str] = ()) -> str:
    """Texte de ``LICENCES.txt`` : d'où vient chaque donnée, et ce que l'on peut en faire.

    Parameters
    ----------
    territoire
        Territoire exporté.
    fichiers
        Fichiers du même dossier, à citer.
    """
    sources = decrire_sources(territoire)
    lignes = [
        f"Licences et sources — {territoire.nom}",
        "=" * 72,
        "",
        "Produit par Demi-heure (mesure de l'accès aux services).",
        *([f"Fichiers concernés : {', '.join(fichiers)}."] if fichiers else []),
        f"Empreinte du territoire préparé : {territoire.empreinte or 'inconnue'}.",
        "",
    ]
    if territoire.fictif:
        lignes += [
            "DONNÉES FICTIVES. Ce territoire n'existe pas : ses données sont simulées, dans les",
            "formats des données publiques. Elles peuvent être réutilisées sans restriction, à",
            "condition de dire qu'elles sont fictives.",
            "",
        ]
    elif contient_osm(territoire):
        lignes += [
            "OpenStreetMap (ODbL 1.0) : © les contributeurs d'OpenStreetMap.",
            "  Les géométries et les temps de parcours tirés du réseau de rues forment une base de",
            "  données dérivée : la rediffuser impose de citer OpenStreetMap et de garder la même",
            "  licence. Les cartes et fiches (PDF, images) ne demandent que la citation.",
            f"  {_ADRESSES[ODBL]}",
            "",
        ]
    if any(s.licence == LICENCE_OUVERTE for s in sources):
        lignes += [
            "Licence Ouverte 2.0 (Etalab) : réutilisation libre, en citant le producteur et la",
            "  date de la dernière mise à jour.",
            f"  {_ADRESSES[LICENCE_OUVERTE]}",
            "",
        ]
    lignes += ["Sources", "-" * 72]
    for s in sources:
        lignes += [
            f"- {s.contenu} : {s.fichier}",
            f"    producteur : {s.producteur or 'non reconnu, voir la page de téléchargement'}",
            f"    millésime  : {dire_dates(s.millesime)}",
            f"    licence    : {s.licence}",
            f"    sha-256    : {s.empreinte}",
        ]
    lignes += [
        "",
        "Composants des exports",
        "-" * 72,
        "- Police Public Sans (SIL Open Font License 1.1) ou DejaVu Sans (licence Bitstream Vera).",
        "- Leaflet (BSD 2 clauses), dans la page autonome seulement.",
    ]
    return "\n".join(lignes).replace("\u00a0", " ") + "\n"


def ecrire_licences(territoire: Territoire, dossier: Path, fichiers: Sequence[str] = ()) -> Path:
    """Écrire ``LICENCES.txt`` dans un dossier.

    Raises
    ------
    ErreurDonnees
        Dossier absent, protégé, disque plein.
    """
    chemin = dossier / FICHIER_LICENCES
    with ecrire_atomique(chemin) as provisoire:
        # Le Bloc-notes de Windows ne reconnaît l'UTF-8 ancien qu'à sa marque.
        provisoire.write_text(
            composer_licences(territoire, fichiers), encoding="utf-8-sig", newline="\r\n"
        )
    return chemin
