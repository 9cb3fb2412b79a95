"""Lecture des paramètres de l'étude et du catalogue des services (TOML)."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from donnees_geo.configuration.modeles import (
    FicheParametre,
    Parametres,
    Service,
    SeuilPalier,
    SourceService,
)
from donnees_geo.conventions import FONCTIONS, MODES, PALIERS, Mode, Palier
from donnees_geo.lecture.fichiers_toml import (
    TableToml,
    est_nombre,
    lever_fautes,
    lire_toml,
    proposer,
)
from donnees_geo.reseau import CLASSES_VOIE

_DOSSIER: Final = Path(__file__).resolve().parents[2] / "parametres"
_SOURCES_SERVICE: Final = ("bpe", "osm", "gtfs", "union")
_COULEUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_IDENTIFIANT: Final = re.compile(r"[a-z][a-z0-9_]*")
_UNITES_SUFFIXES: Final = {"_kmh": "km/h", "_m": "m", "_s": "s", "_min": "min"}

#: Bornes plausibles (incluses) de chaque nombre : au-delà, c'est une faute d'unité.
_BORNES: Final[dict[str, tuple[float, float]]] = {
    "vitesse_marche_kmh": (0.5, 12.0),
    "vitesse_marche_senior_kmh": (0.5, 12.0),
    "vitesse_velo_kmh": (3.0, 50.0),
    "vitesse_vae_kmh": (3.0, 50.0),
    "facteur_congestion_voiture": (1.0, 10.0),
    "rattachement_max_m": (1.0, 10_000.0),
    "composante_min_noeuds": (1, 1_000_000),
    "tampon_isochrone_m": (1.0, 500.0),
    "pas_isochrone_m": (1.0, 500.0),
    "pas_isochrone_long_m": (1.0, 500.0),
    "marge_m": (0.0, 200_000.0),
    "fenetre_tc_debut_s": (0, 172_800),
    "fenetre_tc_duree_s": (60, 86_400),
    "fenetre_tc_retour_debut_s": (0, 172_800),
    "centile_tc": (0.0, 100.0),
    "marche_max_tc_m": (1.0, 20_000.0),
    "duree_max_tc_s": (60, 86_400),
    "trajets_max_tc": (1, 20),
    "embarquement_min_s": (0, 3_600),
    "rabattement_velo_max_m": (1.0, 30_000.0),
}
_ENTIERS: Final = frozenset(
    {
        "composante_min_noeuds",
        "fenetre_tc_debut_s",
        "fenetre_tc_duree_s",
        "fenetre_tc_retour_debut_s",
        "duree_max_tc_s",
        "trajets_max_tc",
        "embarquement_min_s",
    }
)
_BOOLEENS: Final = frozenset({"pente", "rabattement_velo"})
#: Section du fichier → paramètres qu'elle peut porter.
_SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "vitesses": (
        "vitesse_marche_kmh",
        "vitesse_marche_senior_kmh",
        "vitesse_velo_kmh",
        "vitesse_vae_kmh",
        "escaliers_velo",
        "pente",
    ),
    "voiture": ("facteur_congestion_voiture",),
    "rattachement": ("rattachement_max_m", "composante_min_noeuds"),
    "isochrones": (
        "seuils_isochrone_min",
        "tampon_isochrone_m",
        "pas_isochrone_m",
        "pas_isochrone_long_m",
    ),
    "emprise": ("marge_m",),
    "transport_collectif": (
        "fenetre_tc_debut_s",
        "fenetre_tc_duree_s",
        "fenetre_tc_retour_debut_s",
        "centiles_tc",
        "centile_tc",
        "marche_max_tc_m",
        "duree_max_tc_s",
        "trajets_max_tc",
        "embarquement_min_s",
        "rabattement_velo",
        "rabattement_velo_max_m",
    ),
}


def lire_parametres(chemin: Path | str | None = None) -> Parametres:
    """Lire les paramètres de l'étude.

    Parameters
    ----------
    chemin
        Fichier TOML de même forme que ``parametres/etude.toml`` ; ses clés remplacent celles du
        fichier du programme, une à une. ``None`` : fichier du programme seul.

    Raises
    ------
    ErreurConfiguration
        Clé inconnue, type ou valeur hors des bornes plausibles : toutes les fautes ensemble.
    """
    valeurs = _lire_fichier_parametres(_DOSSIER / "etude.toml")[0]
    if chemin is not None:
        propres = _lire_fichier_parametres(Path(chemin))[0]
        voiture = {**valeurs["vitesses_voiture_kmh"], **propres.pop("vitesses_voiture_kmh")}
        # Une marge absente d'un fichier propre garde celle du programme, comme le reste.
        valeurs = {**valeurs, **propres, "vitesses_voiture_kmh": voiture}
    valeurs.setdefault("marge_m", None)
    manquants = [c.name for c in dataclasses.fields(Parametres) if c.name not in valeurs]
    lever_fautes(
        [f"paramètre absent : {nom}" for nom in manquants],
        Path(chemin or _DOSSIER / "etude.toml"),
        "Fichier de paramètres",
    )
    return Parametres(**valeurs)


def decrire_parametres(chemin: Path | str | None = None) -> list[FicheParametre]:
    """Énumérer les paramètres avec leur unité et leur source, pour l'affichage.

    Un paramètre remplacé par un fichier propre sans source porte « fichier <nom> ».
    """
    fiches = {f.cle: f for f in _lire_fichier_parametres(_DOSSIER / "etude.toml")[1]}
    if chemin is not None:
        for fiche in _lire_fichier_parametres(Path(chemin))[1]:
            source = fiche.source or f"fichier {Path(chemin).name}"
            fiches[fiche.cle] = dataclasses.replace(fiche, source=source)
    return list(fiches.values())


def lire_services(chemin: Path | str | None = None) -> tuple[Service, ...]:
    """Lire le catalogue des services, dans l'ordre du fichier.

    Parameters
    ----------
    chemin
        Catalogue TOML ; ``None`` : ``parametres/services.toml``.

    Raises
    ------
    ErreurConfiguration
        Clé inconnue ou absente, palier, fonction, source ou couleur inadmissible, service sans
        aucune source possible : toutes les fautes ensemble.
    """
    chemin = _DOSSIER / "services.toml" if chemin is None else Path(chemin)
    fautes: list[str] = []
    services = tuple(
        _lire_service(identifiant, TableToml(table, f"[{identifiant}]", fautes))
        for identifiant, table in lire_toml(chemin).items()
    )
    fautes += _verifier_satisfactions(services)
    if not services:
        fautes.append("aucun service")
    lever_fautes(fautes, chemin, "Catalogue des services")
    return services


def _lire_service(identifiant: str, table: TableToml) -> Service:
    if not _IDENTIFIANT.fullmatch(identifiant):
        table.faute("identifiant attendu en minuscules sans accents (lettres, chiffres, _)")
    couleur = table.texte("couleur", obligatoire=True)
    if couleur is not None and not _COULEUR.fullmatch(couleur):
        table.faute(f"une couleur #rrggbb est attendue, trouvé « {couleur} »", "couleur")
    service = Service(
        id=identifiant,
        libelle=table.texte("libelle", obligatoire=True) or "",
        palier=cast(Palier, table.choix("palier", PALIERS, obligatoire=True)),
        fonction=table.choix("fonction", FONCTIONS, obligatoire=True) or "",
        codes_bpe=table.textes("codes_bpe"),
        tags_osm=_lire_regles(table, "tags_osm"),
        tags_osm_exclus=_lire_regles(table, "tags_osm_exclus"),
        source=cast(SourceService, table.choix("source", _SOURCES_SERVICE, obligatoire=True)),
        surfacique=table.booleen("surfacique", False),
        distance_doublon_m=table.nombre("distance_doublon_m", strict=False, obligatoire=True) or 0,
        couleur=couleur or "",
        article=table.texte("article") or "un",
        satisfait_aussi_par=table.textes("satisfait_aussi_par"),
    )
    table.terminer()
    if service.source == "bpe" and not service.codes_bpe:
        table.faute("source « bpe » sans codes_bpe", "codes_bpe")
    if service.source == "osm" and not service.tags_osm:
        table.faute("source « osm » sans tags_osm", "tags_osm")
    return service


def _verifier_satisfactions(services: Sequence[Service]) -> list[str]:
    """Fautes des clés ``satisfait_aussi_par`` : service inconnu, ou le service lui-même."""
    ids = [s.id for s in services]
    return [
        f"[{s.id}] satisfait_aussi_par : service « {autre} » inconnu ; "
        + proposer(autre, [i for i in ids if i != s.id])
        for s in services
        for autre in s.satisfait_aussi_par
        if autre == s.id or autre not in ids
    ]


def _lire_regles(table: TableToml, cle: str) -> tuple[dict[str, tuple[str, ...]], ...]:
    regles = []
    for sous_table in table.tables(cle):
        regle = {tag: sous_table.textes(tag) for tag in sous_table.valeurs}
        if not regle or not all(regle.values()):
            sous_table.faute("une règle « tag = [valeurs] » est attendue")
        regles.append(regle)
    return tuple(regles)


def _lire_fichier_parametres(chemin: Path) -> tuple[dict[str, Any], list[FicheParametre]]:
    """Valeurs présentes dans un fichier de paramètres, et leurs fiches."""
    fautes: list[str] = []
    racine = TableToml(lire_toml(chemin), "", fautes)
    valeurs: dict[str, Any] = {}
    fiches: list[FicheParametre] = []
    for section, cles in _SECTIONS.items():
        table = racine.table(section)
        for cle in cles:
            brut = table.brut(cle)
            if brut is None:
                continue
            valeur, unite, source = _deplier(brut, cle, table)
            controlee = _controler(cle, valeur, table)
            if controlee is not None:
                valeurs[cle] = controlee
                fiches.append(FicheParametre(cle, _afficher(controlee), unite, source))
        table.terminer()
    valeurs["vitesses_voiture_kmh"] = _lire_vitesses_voiture(racine.table("vitesses_voiture_kmh"))
    seuils = tuple(_lire_seuil(t) for t in racine.tables("seuils"))
    if seuils:
        valeurs["seuils"] = seuils
        if sorted(s.palier or "" for s in seuils) != sorted(PALIERS):
            fautes.append("seuils : chaque palier a une règle et une seule")
    racine.terminer()
    lever_fautes(fautes, chemin, "Fichier de paramètres")
    return valeurs, fiches


def _deplier(brut: object, cle: str, table: TableToml) -> tuple[object, str, str]:
    """Séparer ``{valeur, unite, source}`` ; la forme courte n'a qu'une valeur."""
    unite = next((u for s, u in _UNITES_SUFFIXES.items() if cle.endswith(s)), "")
    if not isinstance(brut, dict):
        return brut, unite, ""
    fiche = TableToml(brut, f"{table.nom} {cle}", table.fautes)
    valeur = fiche.brut("valeur")
    unite = fiche.texte("unite") or unite
    source = fiche.texte("source") or ""
    fiche.terminer()
    return valeur, unite, source


def _controler(cle: str, valeur: object, table: TableToml) -> Any:
    """Valeur du type attendu par :class:`Parametres`, ou ``None`` (faute retenue)."""
    if cle in _BOOLEENS:
        if isinstance(valeur, bool):
            return valeur
        table.faute("true ou false est attendu", cle)
    elif cle == "escaliers_velo":
        if valeur in ("pousse", "refuse"):
            return valeur
        table.faute(f"« pousse » ou « refuse » est attendu, trouvé {valeur!r}", cle)
    elif cle in ("seuils_isochrone_min", "centiles_tc"):
        return _controler_liste(cle, valeur, table)
    else:
        mini, maxi = _BORNES[cle]
        entier = cle in _ENTIERS
        if est_nombre(valeur) and mini <= cast(float, valeur) <= maxi:
            nombre = cast(float, valeur)
            if not entier:
                return float(nombre)
            if float(nombre).is_integer():
                return int(nombre)
        genre = "entier" if entier else "nombre"
        table.faute(f"un {genre} entre {mini:g} et {maxi:g} est attendu, trouvé {valeur!r}", cle)
    return None


def _controler_liste(cle: str, valeur: object, table: TableToml) -> tuple[float, ...] | None:
    maxi = 100.0 if cle == "centiles_tc" else 1_440.0
    if (
        isinstance(valeur, list)
        and valeur
        and all(est_nombre(v) and 0 <= v <= maxi for v in valeur)
        and all(a < b for a, b in itertools.pairwise(valeur))
    ):
        return tuple(float(v) for v in valeur)
    table.faute(f"une liste croissante de nombres entre 0 et {maxi:g} est attendue", cle)
    return None


def _lire_vitesses_voiture(table: TableToml) -> dict[str, float]:
    vitesses = {
        classe: vitesse for classe in CLASSES_VOIE if (vitesse := table.nombre(classe)) is not None
    }
    table.terminer()
    return vitesses


def _lire_seuil(table: TableToml) -> SeuilPalier:
    palier = table.choix("palier", PALIERS, obligatoire=True)
    seuil_s = table.nombre("seuil_s", obligatoire=True)
    modes = table.textes("modes")
    for mode in modes:
        if mode not in MODES:
            table.faute(f"mode « {mode} » inconnu ; modes admis : {', '.join(MODES)}", "modes")
    if not modes:
        table.faute("au moins un mode est attendu", "modes")
    table.terminer()
    return SeuilPalier(cast(Palier, palier), seuil_s or 0.0, cast("tuple[Mode, ...]", modes))


def _afficher(valeur: object) -> str:
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    if isinstance(valeur, tuple):
        return ", ".join(_afficher(v) for v in valeur)
    return f"{valeur:g}".replace(".", ",") if isinstance(valeur, float) else str(valeur)
