"""Commandes ``jours`` et ``desserte`` : ce que l'offre de transport donne, jour par jour."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from donnees_geo.erreurs import ErreurDonnees, ErreurProjet
from scripts.commandes.affichage import composer_tableau, nombre_fr, progression
from scripts.commandes.analyse import ajouter_jour, ajouter_parametres
from scripts.commandes.transport import choisir_jour_etudie, heure_fr, montrer_attentions

if TYPE_CHECKING:
    import pandas as pd

    from accessibilite.transport.bilan_desserte import BilanDesserte
    from donnees_geo.gtfs import OffreTransport
    from donnees_geo.territoire import Territoire

ARRETS: Final = "desserte_arrets.csv"
COMMUNES: Final = "desserte_communes.csv"
CARREAUX: Final = "desserte_carreaux.csv"
COMMUNES_NOMMEES: Final = 20


def declarer(commandes: Any) -> None:
    """Ajouter les deux commandes à l'analyseur."""
    analyseur = commandes.add_parser(
        "jours",
        help="lister les jours types de l'offre de transport",
        description="Propose une date par jour type d'après le calendrier de l'offre : mardi "
        "scolaire, mercredi, samedi, dimanche, vacances.\nCes noms sont admis par --jour.",
    )
    analyseur.add_argument("dossier", type=Path, metavar="DOSSIER", help="territoire préparé")
    analyseur.set_defaults(executer=executer_jours)

    analyseur = commandes.add_parser(
        "desserte",
        help="compter les départs par arrêt, commune et heure",
        description="Compte les départs d'un jour par arrêt, par commune et par heure, nomme les "
        "communes sans service, et mesure les carreaux éloignés de tout arrêt desservi.\n"
        f"Écrit {COMMUNES}, {ARRETS} et {CARREAUX}.",
    )
    analyseur.add_argument("dossier", type=Path, metavar="DOSSIER", help="territoire préparé")
    analyseur.add_argument(
        "--sortie", required=True, type=Path, metavar="RESULTATS", help="dossier où écrire"
    )
    ajouter_jour(analyseur)
    ajouter_parametres(analyseur)
    analyseur.set_defaults(executer=executer_desserte)


def exiger_offre(territoire: Territoire) -> OffreTransport:
    """Offre de transport d'un territoire.

    Raises
    ------
    ErreurDonnees
        Le territoire n'en a pas.
    """
    if territoire.offre is None:
        raise ErreurDonnees(
            "Ce territoire n'a pas d'offre de transport collectif.",
            objet=territoire.nom,
            conseil="Ajoutez [transport] gtfs = [...] au manifeste et préparez-le de nouveau.",
        )
    return territoire.offre


def executer_jours(options: argparse.Namespace) -> int:
    """Lister les jours types proposés."""
    from donnees_geo.gtfs import proposer_jours_types
    from donnees_geo.territoire import charger_territoire

    territoire = charger_territoire(options.dossier)
    offre = exiger_offre(territoire)
    debut, fin = offre.validite
    print(f"{territoire.nom} : offre du {debut:%d/%m/%Y} au {fin:%d/%m/%Y}")
    if territoire.date_service is not None:
        print(f"Jour étudié par défaut : {territoire.date_service:%d/%m/%Y}")
    lignes = []
    for _, ligne in proposer_jours_types(offre).iterrows():
        connu = ligne["date"] == ligne["date"]  # NaT diffère de lui-même
        lignes.append(
            (
                str(ligne["jour_type"]),
                f"{ligne['date']:%d/%m/%Y}" if connu else "–",
                nombre_fr(ligne["courses"]) if connu else "–",
                str(ligne["explication"]),
            )
        )
    print(composer_tableau(("jour type", "date", "courses", "choix"), lignes, a_droite=(2,)))
    return 0


def executer_desserte(options: argparse.Namespace) -> int:
    """Calculer la desserte, l'écrire, la résumer."""
    from accessibilite.transport.bilan_desserte import calculer_bilan_desserte
    from couches.resultats import ecrire_table
    from donnees_geo.configuration import lire_parametres
    from donnees_geo.territoire import charger_territoire

    if options.sortie.exists() and not options.sortie.is_dir():
        raise ErreurProjet("La sortie doit être un dossier.", objet=options.sortie)
    parametres = lire_parametres(options.parametres)
    with progression("Desserte", montrer=options.montrer) as avancer:
        avancer("chargement", 0.0)
        territoire = charger_territoire(options.dossier)
        jour = choisir_jour_etudie(options, territoire, exiger_offre(territoire))
        avancer("départs et éloignement", 0.4)
        bilan = calculer_bilan_desserte(territoire, jour, parametres)
    options.sortie.mkdir(parents=True, exist_ok=True)
    tables = {
        COMMUNES: nommer_poids(bilan.communes, par_population=bilan.par_population),
        ARRETS: bilan.arrets,
        CARREAUX: bilan.carreaux,
    }
    for nom, table in tables.items():
        ecrire_table(table.assign(jour=jour.isoformat()), options.sortie / nom)
    if territoire.fictif:
        print("Données fictives : ce territoire n'existe pas.")
    montrer_attentions(bilan.constats)
    print(resumer(bilan, territoire.nom))
    print(f"Écrit dans {options.sortie} : " + ", ".join(tables))
    return 0


def nommer_poids(communes: pd.DataFrame, *, par_population: bool) -> pd.DataFrame:
    """Donner aux colonnes de poids leur unité : habitants, ou m² sans population."""
    nom, unite = ("population", "hab") if par_population else ("surface", "m2")
    return communes.rename(
        columns=lambda c: c.replace("poids", nom) + f"_{unite}" if c.startswith("poids") else c
    )


def resumer(bilan: BilanDesserte, nom: str) -> str:
    """Quelques phrases : départs, amplitude, communes sans service, habitants éloignés."""
    communes, arrets = bilan.communes, bilan.arrets
    servis = arrets[arrets["departs"] > 0]
    phrases = [
        f"{nom}, le {bilan.jour:%d/%m/%Y} : {nombre_fr(arrets['departs'].sum())} départ(s) à "
        f"{nombre_fr(len(servis))} arrêt(s) sur {nombre_fr(len(arrets))}"
    ]
    if len(servis):
        phrases[0] += (
            f", de {heure_fr(servis['premier_s'].min())} à {heure_fr(servis['dernier_s'].max())}"
        )
    sans = communes.loc[communes["sans_service"], "nom"].tolist()
    nommees = ", ".join(sans[:COMMUNES_NOMMEES]) + (", …" if len(sans) > COMMUNES_NOMMEES else "")
    phrases.append(
        f"Communes sans aucun départ : {len(sans)} sur {len(communes)}"
        + (f" ({nommees})" if sans else "")
    )
    total = communes["poids"].sum()
    unite = "habitants" if bilan.par_population else "m²"
    for colonne, texte in (
        ("poids_loin_arret", "À plus de 500 m d'un arrêt desservi (hors train)"),
        ("poids_loin_gare", "À plus de 1 000 m d'une gare desservie"),
        ("poids_mal_desservi", "Loin des deux"),
    ):
        valeur = communes[colonne].sum()
        part = f" ({nombre_fr(100 * valeur / total, 1)} %)" if total > 0 else ""
        phrases.append(f"{texte} : {nombre_fr(valeur)} {unite}{part}")
    return "\n".join(phrases)
