"""Commande ``comparer`` : ce qui a changé entre deux diagnostics, où et pour combien de gens."""

from __future__ import annotations

import argparse
import json
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
    print(suivi.cause)
    for titre, ecarts in (
        ("Données", suivi.ecarts.donnees),
        ("Hypothèses", suivi.ecarts.hypotheses),
    ):
        for ecart in ecarts:
            print(f"  {titre} – {ecart}")
    print(resumer_evolution(suivi))
    noms = ", ".join((EVOLUTION, CARREAUX, DESCRIPTION))
    print(f"Écrit dans {options.sortie} : {noms}")
    return 0


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


def resumer_evolution(suivi: Suivi) -> str:
    """Tableau des services qui changent le plus d'habitants, sur tout le territoire."""
    tout = suivi.evolution[suivi.evolution["zone_type"] == "territoire"]
    change = tout.assign(_mouvement=tout["gagnent_hab"] + tout["perdent_hab"])
    change = change[change["_mouvement"] > 0].sort_values(
        "_mouvement", ascending=False, kind="stable"
    )
    if change.empty:
        return "Aucun habitant ne passe d'un côté à l'autre d'un seuil."
    lignes = [
        (
            str(ligne["service"]),
            nombre_fr(ligne["gagnent_hab"]),
            nombre_fr(ligne["perdent_hab"]),
            f"{nombre_fr(100 * ligne['part_avant'], 1)} %",
            f"{nombre_fr(100 * ligne['part_apres'], 1)} %",
        )
        for _, ligne in change.head(SERVICES_MONTRES).iterrows()
    ]
    titres = ("service", "gagnent", "perdent", "avant", "après")
    return composer_tableau(titres, lignes, a_droite=(1, 2, 3, 4))
