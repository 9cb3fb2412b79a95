"""Commande ``diagnostiquer`` : l'accès de tous les habitants à tous les services."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from donnees_geo.conventions import LIBELLES_PALIERS, MODES, PALIERS, Mode
from donnees_geo.erreurs import ErreurProjet
from scripts.commandes.affichage import composer_tableau, nombre_fr, progression
from scripts.commandes.analyse import (
    ajouter_jour,
    ajouter_parametres,
    ajouter_rabattement,
    mode_deplacement,
)
from scripts.commandes.territoire import montrer_constats

if TYPE_CHECKING:
    import pandas as pd

    from accessibilite.analyses.ensemble import Analyses
    from accessibilite.etude import ResultatEtude
    from donnees_geo.territoire import Territoire

_JOURNAL = logging.getLogger(__name__)
FICHIERS: Final = ("acces_carreaux.parquet", "indicateurs.csv", "carences.csv")
CARENCES_MONTREES: Final = 5


def liste_modes(texte: str) -> tuple[str, ...]:
    """Lire des modes séparés par des virgules, rendus dans l'ordre du programme."""
    demandes = {mode_deplacement(morceau.strip()) for morceau in texte.split(",")}
    return tuple(m for m in MODES if m in demandes)


def declarer(commandes: Any) -> None:
    """Ajouter la commande à l'analyseur."""
    analyseur = commandes.add_parser(
        "diagnostiquer",
        help="mesurer l'accès de tous les habitants à tous les services",
        description="Calcule, pour chaque carreau habité, service et mode, le temps jusqu'au plus "
        f"proche, et écrit {', '.join(FICHIERS)}, puis une table CSV par analyse (niveaux, choix, "
        "paniers, indice, soins, âges, équité, voiture et transport collectif).",
    )
    analyseur.add_argument("dossier", type=Path, metavar="DOSSIER", help="territoire préparé")
    analyseur.add_argument(
        "--sortie", required=True, type=Path, metavar="RESULTATS", help="dossier où écrire"
    )
    analyseur.add_argument(
        "--modes",
        "--mode",
        type=liste_modes,
        metavar="M[,M…]",
        help=f"modes calculés parmi {', '.join(MODES)} (par défaut, tous ceux du territoire)",
    )
    analyseur.add_argument(
        "--services",
        type=lambda texte: tuple(s.strip() for s in texte.split(",") if s.strip()),
        metavar="S[,S…]",
        help="identifiants des services (par défaut, tout le catalogue)",
    )
    ajouter_jour(analyseur)
    ajouter_rabattement(analyseur)
    analyseur.add_argument(
        "--aller-retour",
        action="store_true",
        help="en transport collectif, exiger aussi le retour (fenêtre du soir)",
    )
    analyseur.add_argument(
        "--sans-analyses", action="store_true", help="n'écrire que les trois premières tables"
    )
    analyseur.add_argument(
        "--analyses",
        type=Path,
        metavar="F.toml",
        help="réglages des analyses (par défaut parametres/analyses.toml)",
    )
    analyseur.add_argument(
        "--temps-insee",
        type=Path,
        metavar="F.parquet",
        help="distances de l'INSEE par carreau : nos temps en voiture leur sont comparés",
    )
    ajouter_parametres(analyseur)
    analyseur.set_defaults(executer=executer)


def executer(options: argparse.Namespace) -> int:
    """Calculer l'étude et ses analyses, les écrire, résumer."""
    from accessibilite.etude import calculer_etude
    from couches.resultats import ecrire_resultats
    from donnees_geo.configuration import lire_parametres
    from donnees_geo.territoire import charger_territoire

    if options.sortie.exists() and not options.sortie.is_dir():
        raise ErreurProjet("La sortie doit être un dossier.", objet=options.sortie)
    parametres = lire_parametres(options.parametres)
    if options.rabattement_velo:
        parametres = replace(parametres, rabattement_velo=True)
    with progression("Diagnostic", montrer=options.montrer) as avancer:
        avancer("chargement", 0.0)
        territoire = charger_territoire(options.dossier)
        resultat = calculer_etude(
            territoire,
            None,
            parametres,
            modes=cast("Sequence[Mode] | None", options.modes),
            services=options.services,
            jour=_jour_demande(territoire, options.jour),
            aller_retour=options.aller_retour,
            progression=avancer,
        )
        analyses = None
        if not options.sans_analyses:
            analyses = _analyser(territoire, resultat, options, avancer)
    ecrire_resultats(
        resultat, options.sortie, nom=territoire.nom, fictif=territoire.fictif, analyses=analyses
    )
    if analyses is not None and _est_de_reference(options):
        _garder_pour_le_visualiseur(territoire, resultat, analyses)
    if territoire.fictif:
        print("Données fictives : ce territoire n'existe pas.")
    print(f"{territoire.nom} : {len(resultat.acces)} carreaux, {len(resultat.services)} services")
    print(resumer_paliers(resultat))
    print(resumer_carences(resultat))
    constats = list(resultat.constats)
    if analyses is not None:
        print(resumer_indice(analyses))
        if "controle_insee" in analyses.tables:
            print(resumer_controle(analyses.tables["controle_insee"]))
        constats += analyses.constats
    if constats:
        montrer_constats(constats)
    ecrits = [*FICHIERS, *(f"{nom}.csv" for nom in (analyses.tables if analyses else ()))]
    print(f"Écrit dans {options.sortie} : " + ", ".join(ecrits))
    return 0


def _est_de_reference(options: argparse.Namespace) -> bool:
    """Vrai si rien dans la demande n'écarte le diagnostic de celui que montre le visualiseur."""
    demandes = (options.parametres, options.modes, options.services, options.jour, options.analyses)
    return not (options.aller_retour or options.rabattement_velo) and demandes == (None,) * 5


def _garder_pour_le_visualiseur(
    territoire: Territoire, resultat: ResultatEtude, analyses: Analyses
) -> None:
    """Laisser l'étude dans le territoire préparé : le visualiseur s'ouvre sans la recalculer."""
    from couches.resultats import DOSSIER_ETUDE, ecrire_resultats

    if territoire.dossier is None:
        return
    try:
        ecrire_resultats(
            resultat,
            territoire.dossier / DOSSIER_ETUDE,
            nom=territoire.nom,
            fictif=territoire.fictif,
            analyses=analyses,
        )
    except ErreurProjet as erreur:
        # Le diagnostic demandé est écrit ; un territoire protégé s'ouvre seulement moins vite.
        _JOURNAL.info("Étude non gardée pour le visualiseur : %s", erreur)


def _jour_demande(territoire: Territoire, demande: str | None) -> date | None:
    """Date de ``--jour`` ; ``None`` laisse celle du territoire."""
    from donnees_geo.gtfs import choisir_jour

    if demande is None:
        return None
    if territoire.offre is None:
        raise ErreurProjet(
            "Ce territoire n'a pas d'offre de transport collectif.",
            objet=f"--jour {demande}",
            conseil="Retirez --jour, ou ajoutez [transport] gtfs = [...] au manifeste.",
        )
    return choisir_jour(territoire.offre, demande)


def _analyser(
    territoire: Territoire, resultat: ResultatEtude, options: argparse.Namespace, avancer: Any
) -> Analyses:
    """Analyses du diagnostic, avec les quartiers et les temps de l'INSEE s'ils sont donnés."""
    from accessibilite.analyses.ensemble import calculer_analyses
    from donnees_geo.configuration.analyses import lire_parametres_analyses
    from donnees_geo.controle_insee import lire_temps_insee
    from donnees_geo.thematiques.quartiers import lire_quartiers

    reference = None
    if options.temps_insee is not None:
        reference = lire_temps_insee(
            options.temps_insee, resultat.services, territoire.carreaux["carreau"]
        )
    return calculer_analyses(
        territoire,
        resultat,
        lire_parametres_analyses(options.analyses),
        quartiers=lire_quartiers(territoire),
        temps_voiture_reference=reference,
        progression=avancer,
    )


def resumer_paliers(resultat: ResultatEtude) -> str:
    """Tableau par service : part desservie sous le seuil du palier, sur tout le territoire."""
    indicateurs = resultat.indicateurs
    retenus = indicateurs[
        (indicateurs["zone_type"] == "territoire") & (indicateurs["mode"] == "plus_rapide")
    ]
    libelles = {service.id: service.libelle for service in resultat.services}
    libelles |= {"panier_complet": "tous à la fois"}
    lignes, muets = [], []
    for palier in PALIERS:
        du_palier = retenus[retenus["palier"] == palier]
        for _, ligne in du_palier.sort_values("part_desservie", kind="stable").iterrows():
            libelle = libelles.get(ligne["service"], str(ligne["service"]))
            part, median = ligne["part_desservie"], ligne["temps_median_s"]
            if not np.isfinite(part):
                muets.append(libelle)
                continue
            lignes.append(
                (
                    f"{LIBELLES_PALIERS[palier]} ({ligne['seuil_s'] / 60:g} min)",
                    libelle,
                    f"{nombre_fr(100 * part, 1)} %",
                    f"{nombre_fr(median / 60, 1)} min" if np.isfinite(median) else "–",
                )
            )
    titres = ("palier", "service", "part desservie", "temps médian")
    tableau = composer_tableau(titres, lignes, a_droite=(2, 3))
    return tableau + (f"\nSans donnée : {', '.join(muets)}." if muets else "")


def resumer_carences(resultat: ResultatEtude) -> str:
    """Les communes où une carence touche le plus d'habitants."""
    carences = resultat.carences
    communes = carences[carences["zone_type"] == "commune"]
    premieres = communes.sort_values("population_carence_hab", ascending=False, kind="stable")
    unite = "habitants" if resultat.par_population else "m²"
    libelles = {service.id: service.libelle for service in resultat.services}
    lignes = [
        (
            str(ligne["zone_nom"]),
            libelles.get(ligne["service"], str(ligne["service"])),
            f"{nombre_fr(ligne['population_carence_hab'])} {unite}",
            f"{nombre_fr(100 * ligne['part_carence'])} %",
        )
        for _, ligne in premieres.head(CARENCES_MONTREES).iterrows()
    ]
    if not lignes:
        return "Aucune carence à l'échelle des communes."
    titres = ("commune", "service manquant", "touchés", "part")
    return "Premières carences :\n" + composer_tableau(titres, lignes, a_droite=(2, 3))


def resumer_indice(analyses: Analyses) -> str:
    """Une phrase par volet de l'indice de la demi-heure, sur tout le territoire."""
    indice = analyses.tables["indice"]
    tout = indice[(indice["zone_type"] == "territoire") & (indice["volet"] != "fonction")]
    phrases = []
    for _, ligne in tout.iterrows():
        if np.isfinite(ligne["part_regle"]):
            nom = LIBELLES_PALIERS.get(ligne["code"], "les trois paliers")
            phrases.append(f"{nom} {nombre_fr(100 * ligne['part_regle'], 1)} %")
    return "Indice de la demi-heure (tous les services sous le seuil) : " + (
        ", ".join(phrases) or "non mesuré"
    )


def resumer_controle(controle: pd.DataFrame) -> str:
    """Accord de nos temps en voiture avec ceux de l'INSEE, tous services réunis."""
    accord = np.average(controle["part_a_2_min"], weights=controle["population_hab"])
    biais = np.average(controle["biais_s"], weights=controle["population_hab"])
    return (
        f"Temps en voiture face à l'INSEE ({len(controle)} services) : {nombre_fr(100 * accord)} % "
        f"à 2 minutes près, écart moyen {nombre_fr(biais)} s."
    )
