"""Analyse de la ligne de commande, entièrement en français."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from donnees_geo.conventions import JOURS_TYPES, LIBELLES_MODES, MODES

SEUILS_MAX: Final = 12
#: Au-delà de quatre heures, une isochrone n'a plus de sens à l'échelle d'une agglomération.
MINUTES_MAX: Final = 240.0

# Messages d'argparse (anglais) → français. Les formes ont varié d'une version de Python à l'autre :
# les motifs acceptent celles de 3.11 à 3.14, et un message inconnu passe tel quel.
_TRADUCTIONS: Final[tuple[tuple[str, str], ...]] = (
    (r"the following arguments are required: (.*)", r"il manque : \1"),
    (r"unrecognized arguments: (.*)", r"argument inconnu : \1"),
    (r"expected one argument", "une valeur est attendue"),
    (r"expected at least one argument", "au moins une valeur est attendue"),
    (r"expected (\d+) arguments", r"\1 valeurs sont attendues"),
    (r"invalid choice: (.*?),? \(choose from (.*)\)", r"\1 n'est pas admis (au choix : \2)"),
    (r"not allowed with argument (.*)", r"ne va pas avec \1"),
    (r"ambiguous option: (.*) could match (.*)", r"option ambiguë : \1 peut être \2"),
    (r"ignored explicit argument (.*)", r"cette option ne prend pas de valeur (\1)"),
    (r"one of the arguments (.*) is required", r"l'un de ces arguments est nécessaire : \1"),
)


def traduire(message: str) -> str:
    """Mettre en français un message d'erreur d'argparse."""
    message = re.sub(r"^argument (.+?): ", r"\1 : ", message)
    for motif, remplacement in _TRADUCTIONS:
        message = re.sub(motif, remplacement, message)
    return message


class _MiseEnForme(argparse.RawDescriptionHelpFormatter):
    """Aide à la largeur du terminal, « utilisation » au lieu de « usage »."""

    def __init__(self, prog: str, **options: Any) -> None:
        options["max_help_position"] = 30
        super().__init__(prog, **options)

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "utilisation : " if prefix is None else prefix)


class Analyseur(argparse.ArgumentParser):
    """``ArgumentParser`` dont l'aide et les erreurs sont en français ; une erreur rend 2."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("formatter_class", _MiseEnForme)
        options["add_help"] = False
        options.setdefault("allow_abbrev", False)
        super().__init__(*arguments, **options)
        self._positionals.title = "arguments"
        self._optionals.title = "options"
        self.add_argument("-h", "--aide", "--help", action="help", help="afficher cette aide")

    def error(self, message: str) -> NoReturn:
        """Dire l'erreur et où trouver l'aide, puis rendre 2."""
        self.exit(2, f"{self.prog} : {traduire(message)}\nPour l'aide : {self.prog} --aide\n")


def _nombre(texte: str) -> float:
    """Lire un nombre fini, à la virgule ou au point."""
    try:
        valeur = float(texte.strip().replace(",", "."))
    except ValueError:
        raise argparse.ArgumentTypeError(f"un nombre est attendu, trouvé « {texte} »") from None
    if valeur != valeur or valeur in (float("inf"), float("-inf")):
        raise argparse.ArgumentTypeError(f"un nombre fini est attendu, trouvé « {texte} »")
    return valeur


def nombre_entre(minimum: float, maximum: float, unite: str) -> Callable[[str], float]:
    """Lecteur d'un nombre borné (bornes comprises)."""

    def lire(texte: str) -> float:
        valeur = _nombre(texte)
        if not minimum <= valeur <= maximum:
            raise argparse.ArgumentTypeError(
                f"une valeur entre {minimum:g} et {maximum:g} {unite} est attendue, "
                f"trouvé « {texte} »"
            )
        return valeur

    return lire


def liste_minutes(texte: str) -> tuple[float, ...]:
    """Lire des seuils en minutes (« 5,10,15 »), rendus croissants et sans doublon."""
    try:
        valeurs = sorted({float(morceau) for morceau in texte.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"des minutes séparées par des virgules sont attendues (5,10,15), trouvé « {texte} »"
        ) from None
    if not all(0 < valeur <= MINUTES_MAX for valeur in valeurs):
        raise argparse.ArgumentTypeError(
            f"chaque seuil doit être compris entre 0 (exclu) et {MINUTES_MAX:g} minutes, "
            f"trouvé « {texte} »"
        )
    if len(valeurs) > SEUILS_MAX:
        raise argparse.ArgumentTypeError(
            f"{SEUILS_MAX} seuils au plus, trouvé {len(valeurs)} dans « {texte} »"
        )
    return tuple(valeurs)


def liste_centiles(texte: str) -> tuple[float, ...]:
    """Lire des centiles (« 5,25,50 »), dans l'ordre donné."""
    try:
        valeurs = tuple(dict.fromkeys(float(morceau) for morceau in texte.split(",")))
    except ValueError:
        valeurs = ()
    if not valeurs or not all(0 <= valeur <= 100 for valeur in valeurs):
        raise argparse.ArgumentTypeError(
            f"des centiles de 0 à 100 séparés par des virgules sont attendus (5,25,50), "
            f"trouvé « {texte} »"
        )
    return valeurs


def date_heure(texte: str) -> datetime:
    """Lire un jour et une heure locale de départ."""
    try:
        valeur = datetime.fromisoformat(texte)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"un jour et une heure sont attendus, comme 2026-03-17T07:00, trouvé « {texte} »"
        ) from None
    if valeur.tzinfo is not None:
        raise argparse.ArgumentTypeError(
            f"l'heure est celle de la montre, sans fuseau (2026-03-17T07:00), trouvé « {texte} »"
        )
    return valeur


def depart_tc(texte: str) -> tuple[date | None, int]:
    """Lire un début de fenêtre : « 2026-03-17T07:00 », ou « 07:00 » seul.

    Returns
    -------
    jour, debut_s
        ``None`` si l'heure est donnée seule ; secondes après minuit.
    """
    seule = re.fullmatch(r"(\d{1,2}):(\d{2})", texte.strip())
    if seule and int(seule[1]) < 24 and int(seule[2]) < 60:
        return None, int(seule[1]) * 3600 + int(seule[2]) * 60
    valeur = date_heure(texte)
    return valeur.date(), valeur.hour * 3600 + valeur.minute * 60


def jour_demande(texte: str) -> str:
    """Lire un jour type ou une date ``AAAA-MM-JJ`` (rendus tels quels, à chercher dans l'offre)."""
    if texte in JOURS_TYPES:
        return texte
    try:
        return date.fromisoformat(texte).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"un jour AAAA-MM-JJ ou un jour type ({', '.join(JOURS_TYPES)}) est attendu, trouvé "
            f"« {texte} »"
        ) from None


def entier_entre(minimum: int, maximum: int, unite: str) -> Callable[[str], int]:
    """Lecteur d'un entier borné (bornes comprises)."""

    def lire(texte: str) -> int:
        if not re.fullmatch(r"\d+", texte.strip()) or not minimum <= int(texte) <= maximum:
            raise argparse.ArgumentTypeError(
                f"un entier entre {minimum} et {maximum} {unite} est attendu, trouvé « {texte} »"
            )
        return int(texte)

    return lire


def mode_deplacement(texte: str) -> str:
    """Lire un mode ; l'erreur les énumère tous avec leur sens."""
    if texte not in MODES:
        choix = ", ".join(f"{mode} ({LIBELLES_MODES[mode]})" for mode in MODES)
        raise argparse.ArgumentTypeError(f"« {texte} » n'est pas un mode ; au choix : {choix}")
    return texte


def fichier_sortie(*extensions: str) -> Callable[[str], Path]:
    """Lecteur d'un fichier à écrire, dont l'extension choisit le format."""

    def lire(texte: str) -> Path:
        chemin = Path(texte)
        if chemin.suffix.lower() not in extensions:
            trouve = chemin.suffix or "aucune"
            raise argparse.ArgumentTypeError(
                f"l'extension du fichier choisit le format : {', '.join(extensions)} attendu, "
                f"trouvé {trouve} dans « {texte} »"
            )
        return chemin

    return lire


def ajouter_options_trajet(analyseur: argparse.ArgumentParser, *, plusieurs_centiles: bool) -> None:
    """Ajouter les options communes à ``isochrone`` et ``temps``."""
    analyseur.add_argument(
        "--mode",
        required=True,
        type=mode_deplacement,
        metavar="MODE",
        help="marche, velo, voiture ou tc (transport collectif)",
    )
    analyseur.add_argument(
        "--vitesse",
        type=nombre_entre(0.5, 200, "km/h"),
        metavar="KMH",
        help="vitesse à pied ou à vélo, en km/h (par défaut, celle des paramètres)",
    )
    tc = analyseur.add_argument_group("transport collectif")
    ajouter_jour(tc)
    tc.add_argument(
        "--depart",
        type=depart_tc,
        metavar="JOURTHEURE",
        help="début de la fenêtre de départ, comme 2026-03-17T07:00, ou 07:00 avec --jour",
    )
    tc.add_argument(
        "--fenetre",
        type=nombre_entre(1, 24 * 60, "minutes"),
        metavar="MIN",
        help="durée de la fenêtre de départ, en minutes (chaque minute est calculée)",
    )
    centiles = "5,25,50" if plusieurs_centiles else "50"
    tc.add_argument(
        "--centile",
        type=liste_centiles if plusieurs_centiles else nombre_entre(0, 100, ""),
        metavar="P[,P…]" if plusieurs_centiles else "P",
        help=f"centile des temps sur la fenêtre, comme {centiles} (50 : la médiane)",
    )
    tc.add_argument(
        "--marche-max",
        type=nombre_entre(0, 20_000, "mètres"),
        metavar="M",
        help="marche maximale par trajet à pied, en mètres",
    )
    tc.add_argument(
        "--duree-max",
        type=nombre_entre(1, 600, "minutes"),
        metavar="MIN",
        help="durée maximale porte à porte, en minutes",
    )
    tc.add_argument(
        "--trajets-max",
        type=entier_entre(1, 20, "véhicules"),
        metavar="N",
        help="nombre maximal de véhicules empruntés",
    )
    ajouter_rabattement(tc)


def ajouter_jour(analyseur: Any) -> None:
    """Ajouter ``--jour`` : une date, ou un jour type de l'offre."""
    analyseur.add_argument(
        "--jour",
        type=jour_demande,
        metavar="JOUR",
        help="jour du transport collectif : AAAA-MM-JJ, ou un jour type "
        f"({', '.join(JOURS_TYPES)}) ; par défaut, celui du manifeste",
    )


def ajouter_rabattement(analyseur: Any) -> None:
    """Ajouter ``--rabattement-velo``."""
    # Sans défaut, pour distinguer l'option absente de celle des paramètres.
    analyseur.add_argument(
        "--rabattement-velo",
        action="store_const",
        const=True,
        help="rejoindre aussi les gares à vélo depuis le domicile",
    )


def ajouter_parametres(analyseur: argparse.ArgumentParser) -> None:
    """Ajouter ``--parametres`` : un autre fichier d'hypothèses que celui du programme."""
    analyseur.add_argument(
        "--parametres",
        type=Path,
        metavar="F.toml",
        help="fichier d'hypothèses (par défaut parametres/etude.toml, livré avec le programme)",
    )
