"""Commande ``comparer`` : ce qui a changé entre deux diagnostics, où et pour combien de gens."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from donnees_geo.erreurs import ErreurProjet
from scripts.commandes.affichage import composer_tableau, nombre_fr

if TYPE_CHECKING:
    from accessibilite.bilans.suivi import Suivi
    from couches.resultats import ResultatLu

EVOLUTION: Final = "evolution.csv"
CARREAUX: Final = "evolution_carreaux.parquet"
DESCRIPTION: Final = "comparaison.json"
SERVICES_MONTRES: Final = 10
COMMUNES_MONTREES: Final = 8


def declarer(commandes: Any) -> None:
    """Ajouter la commande à l'analyseur."""
    analyseur = commandes.add_parser(
        "comparer",
        help="comparer deux diagnostics du même territoire",
        description="Dit ce qui a changé entre deux dossiers de résultats, où, et pour combien "
        "d'habitants, en séparant les services et les trajets de la population. Refuse de comparer "
        "des diagnostics aux hypothèses différentes.",
    )
    analyseur.add_argument("avant", type=Path, metavar="AVANT", help="premier diagnostic")
    analyseur.add_argument("apres", type=Path, metavar="APRES", help="second diagnostic")
    analyseur.add_argument(
        "--sortie", required=True, type=Path, metavar="DOSSIER", help="dossier où écrire"
    )
    analyseur.add_argument(
        "--forcer", action="store_true", help="comparer malgré des hypothèses différentes"
    )
    analyseur.set_defaults(executer=executer)


def executer(options: argparse.Namespace) -> int:
    """Relire les deux diagnostics, les comparer, écrire et résumer."""
    from accessibilite.bilans.suivi import Diagnostic, comparer_diagnostics
    from couches.resultats import ecrire_table, lire_resultats
    from donnees_geo.configuration import lire_services
    from donnees_geo.ecriture import ecrire_atomique

    if options.sortie.exists() and not options.sortie.is_dir():
        raise ErreurProjet("La sortie doit être un dossier.", objet=options.sortie)
    lus = [lire_resultats(dossier) for dossier in (options.avant, options.apres)]
    suivi = comparer_diagnostics(
        *(Diagnostic(lu.acces, lu.indicateurs, lu.description) for lu in lus),
        forcer=options.forcer,
    )
    options.sortie.mkdir(parents=True, exist_ok=True)
    ecrire_table(suivi.evolution, options.sortie / EVOLUTION)
    with ecrire_atomique(options.sortie / CARREAUX) as provisoire:
        suivi.carreaux.to_parquet(provisoire, index=False, compression="zstd")
    with ecrire_atomique(options.sortie / DESCRIPTION) as provisoire:
        provisoire.write_text(
            json.dumps(_decrire(suivi, lus), ensure_ascii=False, indent=1), encoding="utf-8"
        )
    if any(lu.description["fictif"] for lu in lus):
        print("Données fictives : ce territoire n'existe pas.")
    print(_dire_comparaison(lus))
    print(suivi.cause)
    for titre, ecarts in (
        ("Données", suivi.ecarts.donnees),
        ("Hypothèses", suivi.ecarts.hypotheses),
    ):
        for ecart in ecarts:
            print(f"  {titre} – {ecart}")
    print(resumer_evolution(suivi, {s.id: s.libelle for s in lire_services()}))
    noms = ", ".join((EVOLUTION, CARREAUX, DESCRIPTION))
    print(f"Écrit dans {options.sortie} : {noms}")
    return 0


def _dire_comparaison(lus: list[ResultatLu]) -> str:
    """Ce qui est comparé : territoires et jours étudiés."""
    dits = []
    for lu in lus:
        jour = lu.description.get("jour")
        quand = f", {date.fromisoformat(jour).strftime('%d/%m/%Y')}" if jour else ""
        dits.append(f"{lu.description['territoire']}{quand}")
    return f"De : {dits[0]}\nÀ  : {dits[1]}"


def _decrire(suivi: Suivi, lus: list[ResultatLu]) -> dict[str, Any]:
    """Description de la comparaison, sérialisable en JSON."""
    return {
        "avant": {c: lus[0].description.get(c) for c in ("territoire", "empreinte_territoire")},
        "apres": {c: lus[1].description.get(c) for c in ("territoire", "empreinte_territoire")},
        "cause": suivi.cause,
        "ecarts_donnees": list(suivi.ecarts.donnees),
        "ecarts_hypotheses": list(suivi.ecarts.hypotheses),
        "forcee": bool(suivi.ecarts.hypotheses),
    }


def resumer_evolution(suivi: Suivi, libelles: Mapping[str, str]) -> str:
    """Services qui changent le plus d'habitants, puis communes où c'est le plus fort.

    Parameters
    ----------
    libelles
        Identifiant de service → nom ; l'identifiant sert à défaut.
    """
    evolution = suivi.evolution.assign(
        _mouvement=suivi.evolution["gagnent_hab"] + suivi.evolution["perdent_hab"]
    )
    change = evolution[evolution["_mouvement"] > 0].sort_values(
        "_mouvement", ascending=False, kind="stable"
    )
    tout = change[change["zone_type"] == "territoire"]
    if tout.empty:
        return "Aucun habitant ne passe d'un côté à l'autre d'un seuil."
    services = [
        (
            libelles.get(str(ligne["service"]), str(ligne["service"])),
            nombre_fr(ligne["gagnent_hab"]),
            nombre_fr(ligne["perdent_hab"]),
            _signer(ligne["effet_population_hab"]),
            f"{nombre_fr(100 * ligne['part_avant'], 1)} %",
            f"{nombre_fr(100 * ligne['part_apres'], 1)} %",
        )
        for _, ligne in tout.head(SERVICES_MONTRES).iterrows()
    ]
    titres = ("service", "gagnent", "perdent", "population", "avant", "après")
    blocs = [
        "Habitants qui gagnent ou perdent un service à portée, à population égale ; puis l'effet "
        "du changement de population :",
        composer_tableau(titres, services, a_droite=(1, 2, 3, 4, 5)),
    ]
    communes = change[change["zone_type"] == "commune"].head(COMMUNES_MONTREES)
    if len(communes):
        lignes = [
            (
                str(ligne["zone_nom"]),
                libelles.get(str(ligne["service"]), str(ligne["service"])),
                nombre_fr(ligne["gagnent_hab"]),
                nombre_fr(ligne["perdent_hab"]),
            )
            for _, ligne in communes.iterrows()
        ]
        titres_communes = ("commune", "service", "gagnent", "perdent")
        blocs += [
            "Communes où cela change le plus :",
            composer_tableau(titres_communes, lignes, a_droite=(2, 3)),
        ]
    return "\n".join(blocs)


def _signer(valeur: float) -> str:
    return f"{'+' if round(valeur) > 0 else ''}{nombre_fr(valeur)}"
