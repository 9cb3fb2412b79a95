"""Réglages des analyses tirées d'un diagnostic (``parametres/analyses.toml``)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from donnees_geo.configuration.modeles import FicheParametre
from donnees_geo.conventions import COLONNES_AGES, MODES_RUE, ModeRue
from donnees_geo.lecture.fichiers_toml import TableToml, est_nombre, lever_fautes, lire_toml

_FICHIER: Final = Path(__file__).resolve().parents[2] / "parametres" / "analyses.toml"
#: Au-delà, « k ou plus » ne dit plus rien de neuf et le calcul s'allonge d'autant.
CHOIX_MAX: Final = 10


@dataclass(frozen=True)
class GroupeMarcheurs:
    """Tranche d'âge qui marche à sa propre vitesse.

    Attributes
    ----------
    colonne
        Colonne des carreaux (``conventions.COLONNES_AGES``).
    libelle
        Nom affiché.
    vitesse_kmh
        Vitesse à plat, ``None`` : ``Parametres.vitesse_marche_senior_kmh``.
    """

    colonne: str
    libelle: str
    vitesse_kmh: float | None


@dataclass(frozen=True)
class PublicScolaire:
    """Tranche d'âge et services qui la concernent.

    Attributes
    ----------
    colonne, libelle
        Colonne des carreaux et nom affiché.
    services
        Identifiants de services.
    ecart
        En quoi la tranche de l'INSEE ne suit pas le niveau scolaire, vide si elle le suit.
    """

    colonne: str
    libelle: str
    services: tuple[str, ...]
    ecart: str


@dataclass(frozen=True)
class Decroissance:
    """Poids d'un trajet par pas de temps ; nul au-delà de la dernière borne.

    Attributes
    ----------
    nom
        Identifiant.
    bornes_s
        Bornes hautes, incluses, croissantes, secondes.
    poids
        Poids de chaque pas, entre 0 et 1, décroissants.
    source
        Publication.
    """

    nom: str
    bornes_s: tuple[float, ...]
    poids: tuple[float, ...]
    source: str


@dataclass(frozen=True)
class ParametresAnalyses:
    """Réglages des analyses.

    Attributes
    ----------
    bornes_niveaux_s
        Bornes hautes des niveaux gradués, secondes.
    nombre_choix
        Nombre d'équipements distincts cherchés par service.
    marcheurs, publics
        Tranches d'âge à leur vitesse, et publics de l'école.
    services_concurrence, mode_concurrence
        Services et mode de l'accès concurrentiel aux soins.
    decroissances
        La première est retenue, les autres mesurent la sensibilité.
    ratios_tc
        Bornes du rapport entre temps en transport collectif et en voiture.
    """

    bornes_niveaux_s: tuple[float, ...]
    nombre_choix: int
    marcheurs: tuple[GroupeMarcheurs, ...]
    publics: tuple[PublicScolaire, ...]
    services_concurrence: tuple[str, ...]
    mode_concurrence: ModeRue
    decroissances: tuple[Decroissance, ...]
    ratios_tc: tuple[float, ...]


def lire_parametres_analyses(chemin: Path | str | None = None) -> ParametresAnalyses:
    """Lire les réglages des analyses.

    Parameters
    ----------
    chemin
        Fichier TOML de même forme que ``parametres/analyses.toml`` ; chaque section qu'il donne
        remplace celle du programme. ``None`` : fichier du programme seul.

    Raises
    ------
    ErreurConfiguration
        Clé inconnue, type ou valeur inadmissible : toutes les fautes ensemble.
    """
    brut = lire_toml(_FICHIER)
    if chemin is not None:
        brut = {**brut, **lire_toml(Path(chemin))}
    fautes: list[str] = []
    racine = TableToml(brut, "", fautes)
    niveaux, choix = racine.table("niveaux"), racine.table("choix")
    concurrence, voiture = racine.table("concurrence"), racine.table("voiture")
    parametres = ParametresAnalyses(
        bornes_niveaux_s=tuple(60 * b for b in _croissante(niveaux, "bornes_min")),
        nombre_choix=_nombre_choix(choix),
        marcheurs=tuple(_lire_marcheurs(t) for t in racine.tables("marcheurs")),
        publics=tuple(_lire_public(t) for t in racine.tables("publics")),
        services_concurrence=concurrence.textes("services"),
        mode_concurrence=cast(
            ModeRue, concurrence.choix("mode", MODES_RUE, obligatoire=True) or "voiture"
        ),
        decroissances=tuple(_lire_decroissance(t) for t in racine.tables("decroissances")),
        ratios_tc=_croissante(voiture, "ratios_tc"),
    )
    for table in (niveaux, choix, concurrence, voiture):
        table.texte("source")
        table.terminer()
    racine.terminer()
    if not parametres.decroissances:
        fautes.append("decroissances : au moins une décroissance est attendue")
    noms = [d.nom for d in parametres.decroissances]
    if len(set(noms)) < len(noms):
        fautes.append("decroissances : deux décroissances portent le même nom")
    lever_fautes(fautes, Path(chemin or _FICHIER), "Fichier des analyses")
    return parametres


def decrire_parametres_analyses(chemin: Path | str | None = None) -> list[FicheParametre]:
    """Énumérer les réglages avec leur unité et leur source, pour la page Méthode.

    Raises
    ------
    ErreurConfiguration
        Fichier fautif, comme pour :func:`lire_parametres_analyses`.
    """
    parametres = lire_parametres_analyses(chemin)
    brut = {**lire_toml(_FICHIER), **(lire_toml(Path(chemin)) if chemin is not None else {})}
    fiches = [
        FicheParametre("niveaux", _liste([b / 60 for b in parametres.bornes_niveaux_s]), "min",
                       str(brut["niveaux"].get("source", ""))),
        FicheParametre("nombre_choix", str(parametres.nombre_choix), "équipements",
                       str(brut["choix"].get("source", ""))),
        FicheParametre("ratios_tc", _liste(parametres.ratios_tc), "temps tc / temps voiture",
                       str(brut["voiture"].get("source", ""))),
        FicheParametre("concurrence", ", ".join(parametres.services_concurrence),
                       f"services, mode {parametres.mode_concurrence}",
                       str(brut["concurrence"].get("source", ""))),
    ]  # fmt: skip
    for table, groupe in zip(brut["marcheurs"], parametres.marcheurs, strict=True):
        vitesse = groupe.vitesse_kmh
        valeur = "vitesse_marche_senior_kmh" if vitesse is None else _liste([vitesse])
        source = str(table.get("source", ""))
        fiches.append(FicheParametre(f"marche {groupe.libelle}", valeur, "km/h", source))
    for d in parametres.decroissances:
        pas = " ; ".join(
            f"{b / 60:g} min : {_liste([p])}" for b, p in zip(d.bornes_s, d.poids, strict=True)
        )
        fiches.append(FicheParametre(f"decroissance {d.nom}", pas, "poids", d.source))
    return fiches


def _liste(valeurs: Sequence[float]) -> str:
    return ", ".join(f"{v:g}".replace(".", ",") for v in valeurs)


def _croissante(table: TableToml, cle: str) -> tuple[float, ...]:
    valeur = table.brut(cle)
    if (
        isinstance(valeur, list)
        and valeur
        and all(est_nombre(v) and v > 0 for v in valeur)
        and all(a < b for a, b in itertools.pairwise(valeur))
    ):
        return tuple(float(v) for v in valeur)
    table.faute(f"une liste croissante de nombres positifs est attendue, trouvé {valeur!r}", cle)
    return ()


def _nombre_choix(table: TableToml) -> int:
    valeur = table.brut("nombre")
    if isinstance(valeur, int) and not isinstance(valeur, bool) and 1 <= valeur <= CHOIX_MAX:
        return valeur
    table.faute(f"un entier de 1 à {CHOIX_MAX} est attendu, trouvé {valeur!r}", "nombre")
    return 1


def _lire_marcheurs(table: TableToml) -> GroupeMarcheurs:
    groupe = GroupeMarcheurs(
        colonne=table.choix("colonne", COLONNES_AGES, obligatoire=True) or "",
        libelle=table.texte("libelle", obligatoire=True) or "",
        vitesse_kmh=table.nombre("vitesse_kmh"),
    )
    if groupe.vitesse_kmh is not None and not 0.5 <= groupe.vitesse_kmh <= 12:
        table.faute("une vitesse de marche entre 0,5 et 12 km/h est attendue", "vitesse_kmh")
    table.texte("source")
    table.terminer()
    return groupe


def _lire_public(table: TableToml) -> PublicScolaire:
    ecart = table.brut("ecart")
    public = PublicScolaire(
        colonne=table.choix("colonne", COLONNES_AGES, obligatoire=True) or "",
        libelle=table.texte("libelle", obligatoire=True) or "",
        services=table.textes("services"),
        ecart=ecart if isinstance(ecart, str) else "",
    )
    if not public.services:
        table.faute("au moins un service est attendu", "services")
    table.terminer()
    return public


def _lire_decroissance(table: TableToml) -> Decroissance:
    bornes = _croissante(table, "bornes_min")
    poids: Any = table.brut("poids")
    if not (
        isinstance(poids, list)
        and len(poids) == len(bornes)
        and all(est_nombre(p) and 0 < p <= 1 for p in poids)
        and all(a >= b for a, b in itertools.pairwise(poids))
    ):
        table.faute("un poids de 0 à 1 par borne, décroissants, est attendu", "poids")
        poids = []
    decroissance = Decroissance(
        nom=table.texte("nom", obligatoire=True) or "",
        bornes_s=tuple(60 * b for b in bornes),
        poids=tuple(float(p) for p in poids),
        source=table.texte("source", obligatoire=True) or "",
    )
    table.terminer()
    return decroissance
