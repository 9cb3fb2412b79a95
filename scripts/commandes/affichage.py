"""Ce que la ligne de commande montre : tableaux de texte, barres de progression."""

from __future__ import annotations

import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

Progression = Callable[[str, float], None]
#: Une tâche plus courte que cela n'affiche pas de barre, s.
DELAI_BARRE_S: Final = 2.0


def _largeur(texte: str) -> int:
    """Nombre de colonnes d'un texte (les signes combinants n'en prennent pas)."""
    return sum(not unicodedata.combining(signe) for signe in texte)


def composer_tableau(
    titres: Sequence[str], lignes: Iterable[Sequence[str]], *, a_droite: Sequence[int] = ()
) -> str:
    """Composer un tableau de texte ; la dernière colonne revient à la ligne.

    Parameters
    ----------
    titres
        Titre de chaque colonne.
    lignes
        Cellules, déjà en texte.
    a_droite
        Rangs des colonnes alignées à droite (les nombres).

    Returns
    -------
    str
        Tableau, sans saut de ligne final.
    """
    contenu = [list(titres), *(list(ligne) for ligne in lignes)]
    largeurs = [max(_largeur(ligne[c]) for ligne in contenu) for c in range(len(titres))]
    terminal = shutil.get_terminal_size((110, 24)).columns
    reste = max(30, terminal - sum(largeurs[:-1]) - 2 * (len(titres) - 1))
    largeurs[-1] = min(largeurs[-1], reste)
    rendu = []
    for rang, ligne in enumerate(contenu):
        morceaux = textwrap.wrap(ligne[-1], largeurs[-1]) or [""]
        for numero, morceau in enumerate(morceaux):
            cellules = [*(ligne[:-1] if numero == 0 else [""] * (len(titres) - 1)), morceau]
            rendu.append(
                "  ".join(
                    _aligner(cellule, largeurs[c], droite=c in a_droite)
                    for c, cellule in enumerate(cellules)
                ).rstrip()
            )
        if rang == 0:
            rendu.append("  ".join("─" * largeur for largeur in largeurs))
    return "\n".join(rendu)


def _aligner(texte: str, largeur: int, *, droite: bool) -> str:
    blanc = " " * (largeur - _largeur(texte))
    return blanc + texte if droite else texte + blanc


def nombre_fr(valeur: float, decimales: int = 0) -> str:
    """Écrire un nombre à la française : espace des milliers, virgule décimale."""
    return f"{valeur:,.{decimales}f}".replace(",", "\u202f").replace(".", ",")


@contextmanager
def progression(titre: str, *, montrer: bool | None = None) -> Iterator[Progression]:
    """Barre de progression d'une tâche, sur la sortie d'erreur.

    Elle n'apparaît qu'après deux secondes, et seulement sur un terminal sauf si ``montrer``.

    Yields
    ------
    Callable
        Fonction ``(étape, part faite entre 0 et 1)``.
    """
    from tqdm import tqdm  # l'aide et les fautes d'usage s'en passent

    visible = sys.stderr.isatty() if montrer is None else montrer
    with tqdm(
        total=100.0,
        desc=titre,
        disable=not visible,
        delay=DELAI_BARRE_S,
        leave=False,
        miniters=0,
        file=sys.stderr,
        dynamic_ncols=True,
        bar_format="{desc} {bar} {percentage:3.0f} % ({elapsed})",
    ) as barre:

        def avancer(etape: str, part: float) -> None:
            barre.set_description_str(f"{titre} – {etape}" if etape else titre, refresh=False)
            barre.update(100.0 * min(max(part, 0.0), 1.0) - barre.n)

        yield avancer
