"""Fragments HTML des pages. Tout texte venu des données passe par :func:`html.escape`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final

import pandas as pd

from accessibilite.atteinte import Atteinte
from couches.couche import Couche, EntreeLegende
from couches.styles import Styles
from couches.textes import duree, nombre, part

_SIGNES: Final = {"hachures": "signe hachures", "points": "signe points", "rond": "signe rond"}

#: Signes que le Markdown de Streamlit interprète.
_BALISES: Final = frozenset("\\`*_{}[]()<>#+!|~:$^")


def sans_balises(texte: str) -> str:
    """Texte de données dans un libellé de Streamlit, qui n'y lira ni lien, ni image, ni gras."""
    return "".join(f"\\{c}" if c in _BALISES else c for c in texte)


def titre(question: str, zone: str) -> str:
    """Titre de la carte : la question, et où."""
    return f'<h1 class="dh-titre">{escape(question)}</h1><p class="dh-zone">{escape(zone)}</p>'


def bandeau_fictif() -> str:
    """Avertissement d'un territoire simulé."""
    return (
        '<div class="dh-fictif" role="note"><strong>Données fictives</strong> : ce territoire '
        "n’existe pas, ses lieux et ses habitants sont simulés.</div>"
    )


def message(texte: str, detail: str = "", *, genre: str = "erreur") -> str:
    """Encart d'erreur ou d'information."""
    suite = f"<p>{escape(detail)}</p>" if detail else ""
    role = "alert" if genre == "erreur" else "note"
    return f'<div class="dh-message {genre}" role="{role}"><p>{escape(texte)}</p>{suite}</div>'


def grand_chiffre(valeur: str, legende: str) -> str:
    """Chiffre principal et ce qu'il compte."""
    return (
        f'<div class="dh-chiffre"><span class="valeur">{escape(valeur)}</span>'
        f'<span class="legende">{escape(legende)}</span></div>'
    )


def phrase(texte: str) -> str:
    """Phrase qui dit ce que montre la carte."""
    return f'<p class="dh-phrase">{escape(texte)}</p>'


def hypothese(texte: str) -> str:
    """Hypothèses, à côté du chiffre."""
    return f'<p class="dh-hypothese">{escape(texte)}</p>'


def signe(entree: EntreeLegende) -> str:
    """Signe de légende : couleur et trame."""
    classe = _SIGNES.get(entree.trame, f"signe {entree.trame}")
    return f'<span class="{classe}" style="--c:{escape(entree.couleur)}" aria-hidden="true"></span>'


def legende_chiffree(
    entrees: Sequence[EntreeLegende],
    poids: Sequence[float],
    total: float,
    *,
    rang_seuil: int,
    unite: str,
) -> str:
    """Légende des temps, avec ce que pèse chaque classe et une barre proportionnelle.

    Parameters
    ----------
    entrees
        Classes, puis inaccessible et sans donnée.
    poids
        Habitants (ou surface) de chaque entrée.
    total
        Total de la zone.
    rang_seuil
        Nombre de classes entièrement sous le seuil : un filet les sépare des suivantes ; 0 : pas de
        filet.
    unite
        « habitants » ou « ha ».
    """
    lignes = []
    for i, (entree, valeur) in enumerate(zip(entrees, poids, strict=True)):
        if valeur <= 0 and entree.trame != "plein":
            continue
        largeur = 100 * valeur / total if total > 0 else 0.0
        classe = ' class="seuil"' if rang_seuil and i == rang_seuil else ""
        lignes.append(
            f"<tr{classe}><td>{signe(entree)}</td><th scope='row'>{escape(entree.texte)}</th>"
            f"<td class='n'>{nombre(valeur)}</td>"
            f"<td class='n'>{part(valeur / total if total > 0 else float('nan'))}</td>"
            f"<td class='barre'><span style='width:{largeur:.1f}%'></span></td></tr>"
        )
    return (
        '<table class="dh-legende"><caption>Temps d’accès</caption><thead><tr>'
        f"<td></td><th scope='col'>minutes</th><th scope='col' class='n'>{escape(unite)}</th>"
        "<th scope='col' class='n'>part</th><td class='barre'></td></tr></thead>"
        f"<tbody>{''.join(lignes)}</tbody></table>"
    )


def liste_pires(table: pd.DataFrame, titre_liste: str, unite: str) -> str:
    """Communes où le plus d'habitants manquent du service, nom, nombre et part."""
    if table.empty:
        return f'<h2 class="dh-h2">{escape(titre_liste)}</h2><p class="dh-phrase">Aucune.</p>'
    lignes = "".join(
        f"<tr><th scope='row'>{escape(str(r.nom))}</th>"
        f"<td class='n'>{nombre(float(r.non_desservi))}</td>"
        f"<td class='n'>{part(float(r.non_desservi) / float(r.poids), 0)}</td></tr>"
        for r in _lignes(table)
    )
    return (
        f'<h2 class="dh-h2">{escape(titre_liste)}</h2><table class="dh-pires"><thead><tr>'
        f"<th scope='col'>commune</th><th scope='col' class='n'>{escape(unite)}</th>"
        f"<th scope='col' class='n'>part</th></tr></thead><tbody>{lignes}</tbody></table>"
    )


def tableau_zones(table: pd.DataFrame, colonne: str, seuil: str, unite: str) -> str:
    """Tableau équivalent à la carte, une ligne par zone."""
    lignes = "".join(
        f"<tr><th scope='row'>{escape(str(r.nom))}</th><td class='n'>{nombre(float(r.poids))}</td>"
        f"<td class='n'>{nombre(float(r.desservi))}</td><td class='n'>{part(float(r.part))}</td>"
        f"<td class='n'>{nombre(float(r.non_desservi))}</td>"
        f"<td class='n'>{duree(float(r.temps_median_s))}</td></tr>"
        for r in _lignes(table)
    )
    return (
        '<div class="dh-defile" tabindex="0" role="region" aria-label="Tableau par zone">'
        '<table class="dh-tableau"><thead><tr>'
        f"<th scope='col'>{escape(colonne)}</th><th scope='col' class='n'>{escape(unite)}</th>"
        f"<th scope='col' class='n'>à {escape(seuil)} ou moins</th>"
        "<th scope='col' class='n'>part</th>"
        f"<th scope='col' class='n'>à plus de {escape(seuil)}</th>"
        "<th scope='col' class='n'>temps médian</th></tr></thead>"
        f"<tbody>{lignes}</tbody></table></div>"
    )


def legende_couches(couches: Sequence[Couche], styles: Styles) -> str:
    """Légende, source, millésime et licence de chaque couche, par groupe."""
    blocs = []
    for groupe, intitule in styles.groupes.items():
        du_groupe = [c for c in couches if c.groupe == groupe and (c.legende or c.source)]
        if not du_groupe:
            continue
        blocs.append(f"<h3>{escape(intitule)}</h3>")
        for couche in du_groupe:
            origine = " · ".join(
                escape(t) for t in (couche.source, couche.millesime, couche.licence) if t
            )
            entrees = "" if couche.id == "carreaux" else _entrees(couche.legende)
            blocs.append(
                f'<div class="couche"><strong>{escape(couche.titre)}</strong>{entrees}'
                f'<span class="origine">{origine}</span></div>'
            )
    return f'<div class="dh-couches">{"".join(blocs)}</div>'


def _lignes(table: pd.DataFrame) -> Iterator[Any]:
    """Lignes d'une table, chacune avec ses colonnes pour attributs."""
    yield from table.itertuples()


def _entrees(entrees: Sequence[EntreeLegende]) -> str:
    lignes = "".join(f"<li>{signe(e)}{escape(e.texte)}</li>" for e in entrees)
    return f"<ul>{lignes}</ul>" if lignes else ""


def tableau_points(
    titres: Sequence[str],
    couleurs: Sequence[str],
    atteintes: Sequence[Atteinte],
    unite: str,
    services: Sequence[tuple[int, str]],
    panier: Sequence[int] = (),
) -> str:
    """Ce qu'on atteint depuis chaque point, côte à côte.

    Parameters
    ----------
    titres, couleurs
        Un point par colonne ; les teintes reprennent au début après la dernière.
    atteintes
        Comptages aux mêmes seuils.
    unite
        « habitants » ou « m² ».
    services
        ``(rang, libellé)`` des services comptés au plus grand seuil.
    panier
        Rangs des services d'un palier, dont on dit combien sont présents.
    """
    entetes = "".join(
        f"<th scope='col' class='n'><span class='pastille' style='background:{escape(c)}'>"
        f"{escape(t)}</span></th>"
        for t, c in zip(titres, itertools.cycle(couleurs), strict=False)
    )
    lignes = [
        f"<tr><th scope='row'>{escape(unite)} à {duree(seuil)}</th>"
        + "".join(f"<td class='n'>{nombre(a.poids[k])}</td>" for a in atteintes)
        + "</tr>"
        for k, seuil in enumerate(atteintes[0].seuils_s)
    ]
    if panier:
        lignes.append(
            f"<tr><th scope='row'>services présents, sur {len(panier)}</th>"
            + "".join(
                f"<td class='n'>{nombre(int((a.services[-1, list(panier)] > 0).sum()))}</td>"
                for a in atteintes
            )
            + "</tr>"
        )
    for rang, libelle in services:
        lignes.append(
            f"<tr class='service'><th scope='row'>{escape(libelle)}</th>"
            + "".join(
                f"<td class='n'>{nombre(float(a.services[-1, rang]))}</td>" for a in atteintes
            )
            + "</tr>"
        )
    return (
        f"<table class='dh-points'><thead><tr><th scope='col'>atteint</th>{entetes}</tr></thead>"
        f"<tbody>{''.join(lignes)}</tbody></table>"
    )


def tableau_simple(titres: Sequence[str], lignes: Sequence[Sequence[str]], nom: str) -> str:
    """Tableau de textes."""
    entete = "".join(f"<th scope='col'>{escape(t)}</th>" for t in titres)
    corps = "".join(
        "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in ligne) + "</tr>" for ligne in lignes
    )
    return (
        f'<table class="dh-tableau texte" aria-label="{escape(nom)}"><thead><tr>{entete}</tr>'
        f"</thead><tbody>{corps}</tbody></table>"
    )
