"""Fiche d'une zone : indice, fonctions, carences nommées, choix, seniors, soins (HTML)."""

from __future__ import annotations

from html import escape
from typing import Any, Final

import pandas as pd

from couches.textes import duree, nombre, part, pluriel
from donnees_geo.conventions import LIBELLES_FONCTIONS, LIBELLES_MODES, LIBELLES_PALIERS
from pages._carences.donnees import Analyses, carences_de
from pages._commun.gabarit import grand_chiffre, hypothese, phrase
from pages._commun.partage import Partage

PERTES_MONTREES: Final = 4


def fiche(
    partage: Partage, analyses: Analyses, type_zone: str, code: str, services: list[str]
) -> str:
    """Fiche complète d'une zone.

    Parameters
    ----------
    type_zone, code
        Zone.
    services
        Services dont les carences sont énumérées.
    """
    indice = _zone(analyses["indice"], type_zone, code)
    ensemble = indice[indice["volet"] == "ensemble"].iloc[0]
    nom = str(ensemble["zone_nom"])
    blocs = [
        f'<h2 class="dh-section" id="fiche">{escape(nom)}</h2>',
        grand_chiffre(
            part(float(ensemble["part_regle"])),
            "des habitants ont tous les services des trois paliers sous leur seuil",
        ),
        phrase(_resumer(ensemble)),
        _tableau_indice(indice),
        _tableau_carences(partage, analyses, type_zone, code, services),
        *(phrase(p) for p in _phrases(partage, analyses, type_zone, code)),
    ]
    return "".join(blocs)


def _zone(table: pd.DataFrame, type_zone: str, code: str) -> pd.DataFrame:
    return table[(table["zone_type"] == type_zone) & (table["zone_code"].astype(str) == code)]


def _resumer(ensemble: pd.Series[Any]) -> str:
    habitants = float(ensemble["population_hab"])
    if not habitants > 0:
        return "Cette zone n’a pas d’habitant connu : ses parts ne sont pas calculées."
    texte = (
        f"{pluriel(round(habitants), 'habitant')}, dont {part(float(ensemble['part_imputee']))} "
        "dans des carreaux imputés par le producteur. "
    )
    return texte + (
        f"En moyenne, un habitant atteint {part(float(ensemble['part_services']))} des "
        f"{int(ensemble['nombre_services'])} services mesurés."
    )


def _tableau_indice(indice: pd.DataFrame) -> str:
    """Barres par palier et par fonction, chacune avec ses nombres."""
    lignes = []
    for _, ligne in indice[indice["volet"] != "ensemble"].iterrows():
        noms = LIBELLES_PALIERS if ligne["volet"] == "palier" else LIBELLES_FONCTIONS
        tous, moyenne = float(ligne["part_regle"]), float(ligne["part_services"])
        largeur = 0.0 if tous != tous else 100 * tous
        lignes.append(
            f"<tr><td>{escape(str(ligne['volet']))}</td>"
            f"<th scope='row'>{escape(noms.get(str(ligne['code']), str(ligne['code'])))}</th>"
            f"<td class='n'>{int(ligne['nombre_services'])}</td><td class='n'>{part(tous)}</td>"
            f"<td class='n'>{part(moyenne)}</td>"
            f"<td class='barre'><span style='width:{largeur:.1f}%'></span></td></tr>"
        )
    return (
        '<h3 class="dh-h2">Par palier et par fonction</h3>'
        '<table class="dh-legende"><thead><tr><th scope="col">volet</th><th scope="col">nom</th>'
        '<th scope="col" class="n">services</th><th scope="col" class="n">les ont tous</th>'
        '<th scope="col" class="n">en ont en moyenne</th><td class="barre"></td></tr></thead>'
        f"<tbody>{''.join(lignes)}</tbody></table>"
    )


def _tableau_carences(
    partage: Partage, analyses: Analyses, type_zone: str, code: str, services: list[str]
) -> str:
    """Carences de la zone : habitants, temps par mode et plus proche équipement nommé."""
    carences = carences_de(partage, type_zone, services)
    carences = carences[carences["zone_code"].astype(str) == code]
    titre = '<h3 class="dh-h2">Ce qui manque, à combien, et où se trouve le plus proche</h3>'
    if carences.empty:
        return titre + phrase("Aucun habitant ne manque de ces services.")
    modes = [m for m in partage.resultat.modes if m in LIBELLES_MODES]
    par_mode = _temps_par_mode(_zone(analyses["carences_modes"], type_zone, code))
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    lignes = []
    for _, ligne in carences.iterrows():
        service = str(ligne["service"])
        temps = "".join(
            f"<td class='n'>{duree(par_mode.get((service, m), float('nan')))}</td>" for m in modes
        )
        lignes.append(
            f"<tr><th scope='row'>{escape(libelles.get(service, service))}</th>"
            f"<td class='n'>{nombre(float(ligne['population_carence_hab']))}</td>"
            f"<td class='n'>{part(float(ligne['part_carence']))}</td>"
            f"<td class='n'>{duree(float(ligne['seuil_s']))}</td>{temps}"
            f"<td>{escape(_nommer(partage, ligne))}</td></tr>"
        )
    entetes = "".join(f'<th scope="col" class="n">{escape(LIBELLES_MODES[m])}</th>' for m in modes)
    return (
        f'{titre}<div class="dh-defile" tabindex="0" role="region" aria-label="Carences">'
        '<table class="dh-tableau"><thead><tr><th scope="col">service</th>'
        '<th scope="col" class="n">habitants</th><th scope="col" class="n">part</th>'
        f'<th scope="col" class="n">seuil</th>{entetes}<th scope="col">le plus proche</th>'
        f"</tr></thead><tbody>{''.join(lignes)}</tbody></table></div>"
        + hypothese(
            "Temps médians, par mode, des habitants à qui le service manque ; en transport "
            f"collectif, au-delà de {duree(partage.parametres.duree_max_tc_s)} porte à porte, il "
            "est dit inaccessible."
        )
    )


def _temps_par_mode(lignes: pd.DataFrame) -> dict[tuple[str, str], float]:
    """(service, mode) → temps médian des habitants en carence, secondes."""
    return {
        (str(s), str(m)): float(t)
        for s, m, t in zip(
            lignes["service"], lignes["mode"], lignes["temps_median_carence_s"], strict=True
        )
    }


def _nommer(partage: Partage, ligne: pd.Series[Any]) -> str:
    """Équipement le plus proche : nom et commune, même hors du territoire."""
    if not ligne["equipement_proche"]:
        return "aucun n’est accessible"
    nom = str(ligne["equipement_proche_nom"]) or "sans nom"
    code = str(ligne["equipement_proche_commune"])
    if not code:
        return f"{nom} (hors du territoire)"
    return f"{nom} ({partage.noms_communes.get(code, code)})"


def _phrases(partage: Partage, analyses: Analyses, type_zone: str, code: str) -> list[str]:
    """Service décisif, seniors et soins, quand les données les donnent."""
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    phrases = []
    for _, panier in _zone(analyses["paniers"], type_zone, code).iterrows():
        decisif, touches = str(panier["service_decisif"]), panier["population_decisif_hab"]
        if decisif and touches >= 1:
            phrases.append(
                f"Palier {LIBELLES_PALIERS[str(panier['palier'])]} : il ne manque que le service "
                f"« {libelles[decisif]} » à {pluriel(round(float(touches)), 'habitant')}."
            )
    if "marcheurs" in analyses:
        seniors = _zone(analyses["marcheurs"], type_zone, code)
        seniors = seniors[seniors["perdent_hab"] >= 1]
        seniors = seniors.sort_values("perdent_hab", ascending=False, kind="stable")
        for _, ligne in seniors.head(PERTES_MONTREES).iterrows():
            phrases.append(
                f"À leur pas ({nombre(float(ligne['vitesse_kmh']), 1)} km/h), "
                f"{pluriel(round(float(ligne['perdent_hab'])), 'habitant')} de "
                f"{ligne['libelle']} ne vont plus à pied au service "
                f"« {libelles[str(ligne['service'])]} » en {duree(float(ligne['seuil_s']))}."
            )
    if "soins" in analyses:
        soins = _zone(analyses["soins"], type_zone, code).drop_duplicates("service")
        for _, ligne in soins.iterrows():
            valeur = float(ligne["professionnels_pour_100000_hab"])
            phrases.append(
                f"Accès concurrentiel « {libelles[str(ligne['service'])]} » : {nombre(valeur)} "
                "pour 100 000 habitants, partagés entre tous ceux qui peuvent les rejoindre."
            )
    return phrases
