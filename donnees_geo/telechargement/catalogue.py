"""Catalogue des sources ouvertes (``parametres/sources.toml``) : lecture contrôlée."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal, cast
from urllib.parse import urlsplit

from donnees_geo.lecture.fichiers_toml import TableToml, lever_fautes, lire_toml
from donnees_geo.telechargement.contenu import FORMATS

Etendue = Literal["epci", "departement", "region", "emprise", "dalles", "nationale", "manuelle"]
Recherche = Literal["datagouv", "transport"]

CHEMIN_DEFAUT: Final = Path(__file__).resolve().parents[2] / "parametres" / "sources.toml"
#: Sources sans lesquelles rien ne se délimite : le programme les demande par leur nom.
SOURCE_COMMUNES: Final = "communes"
SOURCE_DEPARTEMENTS: Final = "departements"
SOURCE_EPCI: Final = "epci"
SOURCE_VOISINES: Final = "communes_voisines"

#: Champs de remplacement admis dans une adresse, selon l'étendue de la source.
_CHAMPS: Final[dict[str, frozenset[str]]] = {
    "epci": frozenset({"epci"}),
    "departement": frozenset({"departement"}),
    "region": frozenset({"region"}),
    "emprise": frozenset({"ouest", "sud", "est", "nord", "debut", "nombre"}),
    "dalles": frozenset({"crs", "xmin", "ymin", "xmax", "ymax", "largeur", "hauteur"}),
    "nationale": frozenset(),
    "manuelle": frozenset(),
}
_RECHERCHES: Final = ("datagouv", "transport")
TRAITEMENTS: Final = (
    "telle_quelle",
    "communes_voisines",
    "bassins_de_vie",
    "carreaux",
    "bpe",
    "osm",
    "gtfs",
    "friches",
    "sirene",
    "risques",
    "table_communes",
    "couche",
    "relief",
)
_SECTIONS: Final = ("reseau", "decoupage", "population", "services", "transport", "couches",
                    "relief")  # fmt: skip


@dataclass(frozen=True)
class SourceOuverte:
    """Une source du catalogue.

    Attributes
    ----------
    id, titre, producteur, millesime, licence, mention, page
        Identité, licence, ligne de crédit et page du producteur.
    etendue
        Ce à quoi vaut une adresse : l'EPCI, un département, une région de Geofabrik, l'emprise,
        une dalle, la France ; ``manuelle`` : rien à télécharger.
    format, membre
        Format de ce que rend l'adresse ; expression régulière du membre voulu d'une archive.
    adresses
        Modèles d'adresses, du préféré au dernier recours.
    recherche, motif, exclure
        Catalogue en ligne où l'adresse rend une liste ; expressions régulières des ressources
        voulues et de celles à laisser.
    traitement, fichier, cle
        Ce qui est fait du fichier, nom dans le dossier, clé du manifeste (vide : aucune).
    obligatoire
        Son absence fait échouer la commande.
    verifie
        L'adresse a été essayée ; sinon elle est dite « non vérifiée ».
    taille_max_octets, suffixe_somme
        Taille admise ; suffixe d'adresse de la somme de contrôle publiée.
    requete
        Demande faite à un service qui calcule sa réponse (Overpass), jointe à l'adresse.
    delai_reponse_s
        Temps laissé au service pour commencer à répondre, secondes ; 0 : celui du client.
    secours_de
        Source que celle-ci remplace, quand elle n'a rien donné.
    variante_de, surface_max_km2
        Source que celle-ci remplace, sous le même fichier, quand l'enveloppe du territoire élargi
        ne dépasse pas cette surface (:mod:`donnees_geo.telechargement.variantes`).
    departements
        Limite la source aux territoires qui touchent ces départements ; vide : partout.
    remarque
        Ce que l'utilisateur doit savoir.
    """

    id: str
    titre: str
    producteur: str
    millesime: str
    licence: str
    mention: str
    page: str
    etendue: Etendue
    format: str
    traitement: str
    fichier: str
    adresses: tuple[str, ...] = ()
    membre: str = ""
    recherche: Recherche | None = None
    motif: str = ""
    exclure: str = ""
    cle: str = ""
    obligatoire: bool = False
    verifie: bool = False
    taille_max_octets: int = 512 * 1024**2
    suffixe_somme: str = ""
    requete: str = ""
    delai_reponse_s: float = 0.0
    secours_de: str = ""
    variante_de: str = ""
    surface_max_km2: float = 0.0
    departements: tuple[str, ...] = ()
    remarque: str = ""


@dataclass(frozen=True)
class Catalogue:
    """Sources, et ce qui dépend du département.

    Attributes
    ----------
    chemin
        Fichier lu.
    sources
        Dans l'ordre du fichier.
    crs_defaut, crs_departements
        CRS métrique de travail : partout, et par département d'outre-mer.
    regions
        Région de Geofabrik → départements.
    """

    chemin: Path
    sources: tuple[SourceOuverte, ...]
    crs_defaut: str
    crs_departements: dict[str, str]
    regions: dict[str, tuple[str, ...]]

    def source(self, identifiant: str) -> SourceOuverte | None:
        """Source d'un identifiant, ``None`` si le catalogue ne l'a pas."""
        return next((s for s in self.sources if s.id == identifiant), None)


def lire_catalogue(chemin: Path | None = None) -> Catalogue:
    """Lire le catalogue des sources.

    Parameters
    ----------
    chemin
        Fichier TOML ; ``None`` : celui du programme.

    Raises
    ------
    ErreurConfiguration
        Fichier absent ou mal écrit, clé inconnue, adresse inutilisable : toutes les fautes.
    """
    chemin = chemin or CHEMIN_DEFAUT
    fautes: list[str] = []
    racine = TableToml(lire_toml(chemin), "", fautes)
    sources = tuple(
        source for table in racine.tables("source") if (source := _lire_source(table)) is not None
    )
    crs = racine.table("crs")
    crs_defaut = crs.texte("defaut", obligatoire=True) or ""
    crs_departements = {
        code: texte
        for code in crs.valeurs
        if code != "defaut" and (texte := crs.texte(code)) is not None
    }
    regions_toml = racine.table("regions_geofabrik")
    regions = {region: regions_toml.textes(region) for region in regions_toml.valeurs}
    for table in (crs, regions_toml, racine):
        table.terminer()
    _verifier_ensemble(sources, fautes)
    lever_fautes(fautes, chemin, "Catalogue des sources")
    return Catalogue(chemin, sources, crs_defaut, crs_departements, regions)


def _lire_source(table: TableToml) -> SourceOuverte | None:
    etendue = table.choix("etendue", tuple(_CHAMPS), obligatoire=True)
    manuelle = etendue == "manuelle"
    textes = {
        cle: table.texte(cle, obligatoire=True) or ""
        for cle in ("id", "titre", "producteur", "millesime", "licence", "mention", "page",
                    "fichier")
    }  # fmt: skip
    adresses = table.textes("adresses")
    source = SourceOuverte(
        **textes,
        etendue=cast("Etendue", etendue or "nationale"),
        format=table.choix("format", FORMATS, obligatoire=not manuelle) or "",
        traitement=table.choix("traitement", TRAITEMENTS, obligatoire=not manuelle) or "",
        adresses=adresses,
        membre=_lire_motif(table, "membre"),
        recherche=cast("Recherche | None", table.choix("recherche", _RECHERCHES)),
        motif=_lire_motif(table, "motif"),
        exclure=_lire_motif(table, "exclure"),
        cle=table.texte("cle") or "",
        obligatoire=table.booleen("obligatoire", False),
        verifie=table.booleen("verifie", False),
        taille_max_octets=int((table.nombre("taille_max_mo") or 512) * 1024**2),
        suffixe_somme=table.texte("suffixe_somme") or "",
        requete=table.texte("requete") or "",
        delai_reponse_s=table.nombre("delai_reponse_s") or 0.0,
        secours_de=table.texte("secours_de") or "",
        variante_de=table.texte("variante_de") or "",
        surface_max_km2=table.nombre("surface_max_km2") or 0.0,
        departements=table.textes("departements"),
        remarque=table.texte("remarque") or "",
    )
    table.terminer()
    if not manuelle and not adresses:
        table.faute("au moins une adresse est attendue", "adresses")
    for adresse in adresses:
        _verifier_champs(adresse, "adresses", source.etendue, table)
        if urlsplit(adresse).scheme not in ("http", "https"):
            table.faute(f"adresse http:// ou https:// attendue, trouvé « {adresse} »", "adresses")
    _verifier_champs(source.requete, "requete", source.etendue, table)
    if bool(source.variante_de) != bool(source.surface_max_km2):
        table.faute("variante_de et surface_max_km2 vont ensemble", "variante_de")
    section, _, nom = source.cle.partition(".")
    if source.cle and (section not in _SECTIONS or not nom):
        table.faute(f"« section.clé » du manifeste est attendu, trouvé « {source.cle} »", "cle")
    fichier = PurePosixPath(source.fichier)
    if fichier.is_absolute() or ".." in fichier.parts:
        table.faute("le fichier doit rester dans le dossier du territoire", "fichier")
    return source


def _lire_motif(table: TableToml, cle: str) -> str:
    texte = table.texte(cle) or ""
    try:
        re.compile(texte)
    except re.error as erreur:
        table.faute(f"expression régulière fautive ({erreur})", cle)
        return ""
    return texte


def _verifier_champs(modele: str, cle: str, etendue: Etendue, table: TableToml) -> None:
    """Vérifier les champs de remplacement d'une adresse ou d'une requête."""
    try:
        champs = {nom for _, nom, _, _ in string.Formatter().parse(modele) if nom is not None}
    except ValueError as erreur:
        table.faute(f"accolades mal écrites ({erreur}) : {modele}", cle)
        return
    for champ in sorted(champs - _CHAMPS[etendue]):
        admis = ", ".join(sorted(_CHAMPS[etendue])) or "aucun"
        table.faute(f"champ {{{champ}}} inconnu (étendue {etendue} : {admis})", cle)


def _verifier_ensemble(sources: tuple[SourceOuverte, ...], fautes: list[str]) -> None:
    ids = [s.id for s in sources]
    for identifiant in sorted({i for i in ids if ids.count(i) > 1}):
        fautes.append(f"source {identifiant} : identifiant répété")
    fichiers = [s.fichier for s in sources if not s.variante_de]
    for fichier in sorted({f for f in fichiers if fichiers.count(f) > 1}):
        fautes.append(f"fichier {fichier} : donné par plusieurs sources")
    par_id = {s.id: s for s in sources}
    for source in sources:
        principale = par_id.get(source.variante_de)
        if source.variante_de and principale is None:
            fautes.append(f"source {source.id} : variante_de « {source.variante_de} » inconnu")
        elif principale is not None and (principale.fichier, principale.cle) != (
            source.fichier,
            source.cle,
        ):
            fautes.append(
                f"source {source.id} : « fichier » et « cle » doivent être ceux de {principale.id}"
            )
        if source.secours_de and source.secours_de not in ids:
            fautes.append(f"source {source.id} : secours_de « {source.secours_de} » inconnu")
    if SOURCE_COMMUNES not in ids:
        fautes.append(f"la source « {SOURCE_COMMUNES} » manque : rien ne délimite le territoire")
