"""Commande ``diagnostiquer`` : l'accès de tous les habitants à tous les services."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from donnees_geo.conventions import LIBELLES_PALIERS, PALIERS
from donnees_geo.erreurs import ErreurProjet
from scripts.commandes.affichage import composer_tableau, nombre_fr, progression
from scripts.commandes.analyse import ajouter_parametres
from scripts.commandes.territoire import montrer_constats

if TYPE_CHECKING:
    from accessibilite.etude import ResultatEtude

FICHIERS: Final = ("acces_carreaux.parquet", "indicateurs.csv", "carences.csv")
CARENCES_MONTREES: Final = 5


def declarer(commandes: Any) -> None:
    """Ajouter la commande à l'analyseur."""
    analyseur = commandes.add_parser(
        "diagnostiquer",
        help="mesurer l'accès de tous les habitants à tous les services",
        description="Calcule, pour chaque carreau habité, service et mode, le temps jusqu'au plus "
        f"proche, et écrit {', '.join(FICHIERS)}.",
    )
    analyseur.add_argument("dossier", type=Path, metavar="DOSSIER", help="territoire préparé")
    analyseur.add_argument(
        "--sortie", required=True, type=Path, metavar="RESULTATS", help="dossier où écrire"
    )
    ajouter_parametres(analyseur)
    analyseur.set_defaults(executer=executer)


def executer(options: argparse.Namespace) -> int:
    """Calculer l'étude, écrire les trois tables, résumer."""
    from accessibilite.etude import calculer_etude
    from couches.resultats import ecrire_description
    from donnees_geo.configuration import lire_parametres
    from donnees_geo.territoire import charger_territoire

    if options.sortie.exists() and not options.sortie.is_dir():
        raise ErreurProjet("La sortie doit être un dossier.", objet=options.sortie)
    parametres = lire_parametres(options.parametres)
    with progression("Diagnostic", montrer=options.montrer) as avancer:
        avancer("chargement", 0.0)
        territoire = charger_territoire(options.dossier)
        resultat = calculer_etude(territoire, None, parametres, progression=avancer)
    ecrire_resultat(resultat, options.sortie)
    # En dernier : sans elle, « exporter » ne prendra pas le dossier pour un résultat complet.
    ecrire_description(resultat, options.sortie, nom=territoire.nom, fictif=territoire.fictif)
    if territoire.fictif:
        print("Données fictives : ce territoire n'existe pas.")
    print(f"{territoire.nom} : {len(resultat.acces)} carreaux, {len(resultat.services)} services")
    print(resumer_paliers(resultat))
    print(resumer_carences(resultat))
    if resultat.constats:
        montrer_constats(resultat.constats)
    print("Écrit : " + ", ".join(str(options.sortie / nom) for nom in FICHIERS))
    return 0


def ecrire_resultat(resultat: ResultatEtude, sortie: Path) -> None:
    """Écrire les trois tables, chacune entière ou pas du tout (CSV : UTF-8, virgule, point)."""
    from donnees_geo.ecriture import ecrire_atomique

    sortie.mkdir(parents=True, exist_ok=True)
    with ecrire_atomique(sortie / FICHIERS[0]) as provisoire:
        resultat.acces.to_parquet(provisoire, index=False)
    for nom, table in zip(FICHIERS[1:], (resultat.indicateurs, resultat.carences), strict=True):
        with ecrire_atomique(sortie / nom) as provisoire:
            # Dix chiffres utiles : au-delà, ce ne sont que les restes d'une addition.
            table.to_csv(
                provisoire,
                index=False,
                encoding="utf-8",
                lineterminator="\n",
                float_format="%.10g",
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
