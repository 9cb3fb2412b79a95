"""Commande ``telecharger`` : les données ouvertes d'une intercommunalité, et leur manifeste."""

from __future__ import annotations

import argparse
import math
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scripts.commandes.affichage import composer_tableau, nombre_fr, progression

if TYPE_CHECKING:
    from donnees_geo.telechargement import Bilan, EtatSource

_EPCI: Final = re.compile(r"\d{9}")


def declarer(commandes: Any) -> None:
    """Ajouter la commande à l'analyseur."""
    commande = commandes.add_parser(
        "telecharger",
        help="télécharger les données ouvertes d'une intercommunalité",
        description="Télécharge les données ouvertes d'une intercommunalité, les découpe à son "
        "territoire élargi et écrit le manifeste. Une source en échec n'arrête pas les autres : "
        "le tableau final dit ce qui est là, ce qui manque et où poser un fichier à la main. Rend "
        "1 s'il manque une source obligatoire. Relancez la commande pour compléter.",
    )
    commande.add_argument(
        "--epci", required=True, type=_lire_epci, metavar="CODE", help="code SIREN, 9 chiffres"
    )
    commande.add_argument(
        "--sortie", required=True, type=Path, metavar="DOSSIER", help="dossier du territoire"
    )
    mode = commande.add_mutually_exclusive_group()
    mode.add_argument(
        "--hors-ligne", action="store_true", help="n'employer que les fichiers du cache"
    )
    mode.add_argument(
        "--rafraichir",
        action="store_true",
        help="redemander au serveur ce qui est en cache, et dire ce qui a changé",
    )
    commande.add_argument(
        "--simuler",
        action="store_true",
        help="dire ce qui serait téléchargé et sa taille, sans rien écrire dans le dossier",
    )
    commande.add_argument(
        "--sources",
        type=lambda texte: tuple(m.strip() for m in texte.split(",") if m.strip()),
        default=(),
        metavar="ID,…",
        help="ne traiter que ces sources du catalogue",
    )
    commande.add_argument(
        "--marge",
        type=_lire_marge,
        metavar="KM",
        help="élargissement du territoire (10 km et plus)",
    )
    commande.add_argument(
        "--osm",
        choices=("auto", "geofabrik", "overpass"),
        default="auto",
        help="OpenStreetMap : extrait régional (geofabrik) ou service Overpass, réservé aux petits "
        "territoires ; auto : selon la surface",
    )
    commande.add_argument(
        "--cache", type=Path, metavar="DOSSIER", help="cache partagé entre territoires"
    )
    commande.add_argument(
        "--alleger",
        action="store_true",
        help="retirer du cache, à la fin, les gros fichiers nationaux découpés",
    )
    commande.add_argument(
        "--catalogue",
        type=Path,
        metavar="FICHIER",
        help="catalogue des sources (parametres/sources.toml par défaut)",
    )
    commande.set_defaults(executer=executer)


def _lire_epci(texte: str) -> str:
    code = texte.replace(" ", "")
    if not _EPCI.fullmatch(code):
        raise argparse.ArgumentTypeError(
            f"« {texte} » : un code SIREN de 9 chiffres est attendu, par exemple 200072460"
        )
    return code


def _lire_marge(texte: str) -> float:
    """Marge en mètres, d'après des kilomètres."""
    try:
        kilometres = float(texte.replace(",", "."))
    except ValueError:
        kilometres = math.nan
    if not 0 <= kilometres <= 100:
        raise argparse.ArgumentTypeError(f"« {texte} » : de 0 à 100 km")
    return 1000 * kilometres


def executer(options: argparse.Namespace) -> int:
    """Télécharger, et montrer le bilan ; 1 s'il manque une source obligatoire."""
    from donnees_geo.telechargement import Demande, telecharger_territoire

    demande = Demande(
        epci=options.epci,
        sortie=options.sortie,
        catalogue=options.catalogue,
        cache=options.cache,
        hors_ligne=options.hors_ligne,
        simuler=options.simuler,
        rafraichir=options.rafraichir,
        alleger=options.alleger,
        seulement=options.sources,
        marge_m=options.marge,
        osm=options.osm,
    )
    with progression("Téléchargement", montrer=options.montrer) as avancer:
        bilan = telecharger_territoire(demande, avancer)
    _montrer(bilan, options)
    return int(bool(bilan.manques_obligatoires) and not options.simuler)


def _montrer(bilan: Bilan, options: argparse.Namespace) -> None:
    population = ""
    if math.isfinite(bilan.population_hab):
        population = f", {nombre_fr(bilan.population_hab)} habitants"
    print(
        f"{bilan.nom} ({bilan.epci}) : {bilan.communes} communes{population} ; départements "
        f"{', '.join(bilan.departements)} avec {nombre_fr(bilan.marge_m / 1000, 1)} km de marge"
    )
    print(
        composer_tableau(
            ("source", "état", "Mo", "fichier et remarque"),
            [_ligne(etat) for etat in bilan.sources],
            a_droite=(2,),
        )
    )
    decompte = Counter(etat.statut.value for etat in bilan.sources)
    print(", ".join(f"{n} {statut}" for statut, n in sorted(decompte.items())) + ".")
    if options.simuler:
        octets = sum(e.taille_octets or 0 for e in bilan.sources if e.statut.value == "prévu")
        doutes = sum(not e.verifie for e in bilan.sources)
        if doutes:
            print(f"{doutes} source(s) dont l'adresse n'a pas été essayée (« non vérifié »).")
        print(f"Simulation : {_mo(octets)} Mo au moins seraient téléchargés, rien n'est écrit.")
        return
    if options.rafraichir or bilan.changements:
        print("Changements :" if bilan.changements else "Rien n'a changé.")
        for changement in bilan.changements:
            print(f"  - {changement}")
    _montrer_manques(bilan)
    if bilan.manifeste is not None:
        propose = bilan.manifeste.with_name("territoire.propose.toml")
        if propose.exists():
            print(f"Votre manifeste modifié est gardé ; le neuf est à côté : {propose}")
        print(f"Manifeste : {bilan.manifeste}")
        if not bilan.manques_obligatoires:
            print(f"Pour la suite : demi-heure verifier {bilan.manifeste}")


def _montrer_manques(bilan: Bilan) -> None:
    manques = [e for e in bilan.sources if e.statut.value in ("manquant", "facultatif")]
    if not manques:
        return
    print("Pour poser un fichier à la main, puis relancer la commande :")
    for etat in manques:
        fort = " (obligatoire)" if etat.obligatoire else ""
        print(f"  {etat.titre}{fort} : {bilan.dossier / etat.attendu}")
        print(f"      à prendre : {etat.page}")


def _ligne(etat: EtatSource) -> tuple[str, str, str, str]:
    taille = "" if etat.taille_octets is None else _mo(etat.taille_octets)
    nombre = len(etat.fichiers)
    fichier = etat.fichiers[0] if nombre == 1 else f"{nombre} fichiers" if nombre else ""
    detail = " : ".join(t for t in (fichier, etat.message) if t)
    titre = etat.titre + (" *" if etat.obligatoire else "")
    return titre, etat.statut.value, taille, detail


def _mo(octets: int) -> str:
    if 0 < octets < 5_000:
        return "< 0,01"
    return nombre_fr(octets / 1e6, 1 if octets >= 1e5 else 2)
