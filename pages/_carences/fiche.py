"""Fiche d'une zone : paliers, fonctions, niveaux et choix par service, ce qui manque (HTML)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np
import pandas as pd

from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from couches.styles import libelles_classes
from couches.textes import duree, nombre, part, pluriel
from donnees_geo.configuration import Service
from donnees_geo.conventions import LIBELLES_FONCTIONS, LIBELLES_MODES, LIBELLES_PALIERS
from pages._carences.classement import nommer_zone
from pages._carences.donnees import Analyses, carences_de, nommer_proche
from pages._commun.gabarit import hypothese, phrase
from pages._commun.partage import Partage

PERTES_MONTREES: Final = 3


def fiche(
    partage: Partage,
    analyses: Analyses,
    type_zone: str,
    code: str,
    services: Sequence[Service],
) -> str:
    """Fiche complète d'une zone.

    Parameters
    ----------
    type_zone, code
        Zone.
    services
        Services détaillés.
    """
    indice = _zone(analyses["indice"], type_zone, code)
    territoire = _zone(analyses["indice"], "territoire", "territoire")
    ensemble = indice[indice["volet"] == "ensemble"].iloc[0]
    nom = nommer_zone(type_zone, str(ensemble["zone_nom"]))
    return "".join(
        (
            f'<h2 class="dh-section" id="fiche">{escape(nom[:1].upper() + nom[1:])}</h2>',
            phrase(_resumer(ensemble)),
            '<div class="dh-cote">',
            _barres(indice, territoire, "palier", LIBELLES_PALIERS),
            _barres(indice, territoire, "fonction", LIBELLES_FONCTIONS),
            "</div>",
            hypothese(
                "Barre : habitants qui ont tous les services du palier ou de la fonction. Trait : "
                "le même chiffre pour tout le territoire."
            ),
            _tableau_services(partage, analyses, type_zone, code, services),
            _deblocages(partage, analyses, type_zone, code),
        )
    )


def _zone(table: pd.DataFrame, type_zone: str, code: str) -> pd.DataFrame:
    return table[(table["zone_type"] == type_zone) & (table["zone_code"].astype(str) == code)]


def _resumer(ensemble: pd.Series[Any]) -> str:
    habitants = float(ensemble["population_hab"])
    if not habitants > 0:
        return "Cette zone n’a pas d’habitant connu : ses parts ne sont pas calculées."
    return (
        f"{pluriel(round(habitants), 'habitant')}, dont {part(float(ensemble['part_imputee']))} "
        f"dans des carreaux imputés par le producteur. Indice de la demi-heure : "
        f"{part(float(ensemble['part_regle']))} ont tous les services des trois paliers à portée ; "
        f"en moyenne, un habitant atteint {part(float(ensemble['part_services']))} des "
        f"{int(ensemble['nombre_services'])} services mesurés."
    )


def _barres(
    indice: pd.DataFrame, territoire: pd.DataFrame, volet: str, noms: dict[str, str]
) -> str:
    """Une barre par palier, ou par fonction, avec le repère du territoire."""
    repere = territoire[territoire["volet"] == volet].set_index("code")["part_regle"]
    lignes = []
    for _, ligne in indice[indice["volet"] == volet].iterrows():
        code, tous = str(ligne["code"]), float(ligne["part_regle"])
        largeur = 100 * tous if np.isfinite(tous) else 0.0
        partout = float(repere.get(code, float("nan")))
        trait = (
            f"<i style='left:{100 * partout:.1f}%' title='territoire : {part(partout)}'></i>"
            if np.isfinite(partout)
            else ""
        )
        lignes.append(
            f"<tr><th scope='row'>{escape(noms.get(code, code))}</th>"
            f"<td class='n'>{int(ligne['nombre_services'])}</td><td class='n'>{part(tous)}</td>"
            f"<td class='jauge'><span style='width:{largeur:.1f}%'></span>{trait}</td></tr>"
        )
    return (
        f'<table class="dh-jauges"><thead><tr><th scope="col">{volet}</th>'
        '<th scope="col" class="n">services</th><th scope="col" class="n">les ont tous</th>'
        f"<td></td></tr></thead><tbody>{''.join(lignes)}</tbody></table>"
    )


def _tableau_services(
    partage: Partage,
    analyses: Analyses,
    type_zone: str,
    code: str,
    services: Sequence[Service],
) -> str:
    """Un service par ligne : à qui il manque, niveaux gradués, choix, temps par mode, où."""
    carences = _par_service(carences_de(partage, type_zone, [s.id for s in services]), code)
    niveaux = _zone(analyses["niveaux"], type_zone, code)
    niveaux_service = _par_service(niveaux[niveaux["mode"] == PLUS_RAPIDE], code)
    par_mode = _temps_par_mode(_zone(analyses["carences_modes"], type_zone, code))
    choix = _choix_par_service(
        _zone(analyses["choix"], type_zone, code) if "choix" in analyses else pd.DataFrame()
    )
    modes = [m for m in partage.resultat.modes if m in LIBELLES_MODES]
    presents = [s for s in services if s.id in niveaux_service]
    rangs = {s: r for r, s in enumerate(carences)}
    lignes = []
    for service in sorted(presents, key=lambda s: rangs.get(s.id, len(rangs))):
        temps = "".join(
            f"<td class='n'>{duree(par_mode.get((service.id, m), float('nan')))}</td>"
            for m in modes
        )
        combien, taux, ou = _dire_carence(partage, carences.get(service.id))
        lignes.append(
            f"<tr><th scope='row'>{escape(service.libelle)}</th>"
            f"<td class='n'>{combien}</td><td class='n'>{taux}</td>"
            f"<td>{_empiler(partage, niveaux_service[service.id])}</td>"
            f"<td class='n'>{choix.get(service.id, '–')}</td>{temps}<td>{escape(ou)}</td></tr>"
        )
    entetes = "".join(f'<th scope="col" class="n">{escape(LIBELLES_MODES[m])}</th>' for m in modes)
    return (
        '<h3 class="dh-h2">Service par service : à qui il manque, à combien, et où</h3>'
        f'{_legende_niveaux(partage)}<div class="dh-defile dh-services" tabindex="0" '
        'role="region" aria-label="Carences"><table class="dh-tableau"><thead><tr>'
        '<th scope="col">service</th><th scope="col" class="n">il manque à</th>'
        '<th scope="col" class="n">part</th><th scope="col">habitants par temps d’accès</th>'
        '<th scope="col" class="n">1er, 2e, 3e</th>'
        f'{entetes}<th scope="col">le plus proche de ceux à qui il manque</th>'
        f"</tr></thead><tbody>{''.join(lignes)}</tbody></table></div>"
        + hypothese(
            "Habitants par temps d’accès : par le plus rapide des modes admis. 1er, 2e, 3e : temps "
            "médians aux trois plus proches, à vélo pour la proximité, sinon en "
            "transport collectif (à défaut en voiture). "
            "Colonnes par mode : temps médian de ceux à qui le service manque ; en transport "
            f"collectif, au-delà de {duree(partage.parametres.duree_max_tc_s)} porte à porte, il "
            "est dit inaccessible."
        )
    )


def _par_service(table: pd.DataFrame, code: str) -> dict[str, pd.Series[Any]]:
    """Ligne de chaque service d'une zone, dans l'ordre de la table."""
    ici = table[table["zone_code"].astype(str) == code]
    return {str(ligne["service"]): ligne for _, ligne in ici.iterrows()}


def _dire_carence(partage: Partage, carence: pd.Series[Any] | None) -> tuple[str, str, str]:
    """Habitants concernés, part, et le plus proche ; personne s'il n'y a pas de carence."""
    if carence is None:
        return "0", "0\u00a0%", ""
    return (
        nombre(float(carence["population_carence_hab"])),
        part(float(carence["part_carence"])),
        nommer_proche(partage, carence),
    )


def _colonnes_niveaux(ligne: pd.Series[Any]) -> list[float]:
    """Parts de chaque niveau, dans l'ordre des temps, inaccessible et sans donnée à la fin."""
    return [float(ligne[c]) for c in ligne.index if str(c).startswith("part_")]


def _couleurs_niveaux(partage: Partage, nombre_niveaux: int) -> list[tuple[str, str]]:
    """Couleur et classe de trame de chaque niveau : la rampe des temps, puis les deux trames."""
    rampe = partage.styles.couleurs_temps
    rangs = np.linspace(0, len(rampe) - 1, nombre_niveaux - 2).round().astype(int)
    pleines = [(rampe[r], "plein") for r in rangs]
    return [*pleines, ("#1d1026", "hachures"), ("#8f8a80", "points")]


def _empiler(partage: Partage, ligne: pd.Series[Any]) -> str:
    """Barre empilée des niveaux d'un service."""
    parts = _colonnes_niveaux(ligne)
    morceaux = "".join(
        f"<span class='{trame}' style='--c:{couleur};width:{100 * p:.2f}%'></span>"
        for p, (couleur, trame) in zip(parts, _couleurs_niveaux(partage, len(parts)), strict=True)
        if np.isfinite(p) and p > 0
    )
    textes = "; ".join(part(p, 0) for p in parts if np.isfinite(p))
    return f"<div class='dh-empile' role='img' aria-label='{textes}'>{morceaux}</div>"


def _legende_niveaux(partage: Partage) -> str:
    textes = [*libelles_classes(partage.styles), "inaccessible", "sans donnée"]
    couleurs = _couleurs_niveaux(partage, len(textes))
    entrees = "".join(
        f"<li><span class='signe {trame}' style='--c:{couleur}'></span>{escape(texte)}</li>"
        for texte, (couleur, trame) in zip(textes, couleurs, strict=True)
    )
    return f"<ul class='dh-niveaux' aria-label='minutes'>{entrees}</ul>"


def _temps_par_mode(lignes: pd.DataFrame) -> dict[tuple[str, str], float]:
    """(service, mode) → temps médian des habitants en carence, secondes."""
    return {
        (str(s), str(m)): float(t)
        for s, m, t in zip(
            lignes["service"], lignes["mode"], lignes["temps_median_carence_s"], strict=True
        )
    }


def _choix_par_service(lignes: pd.DataFrame) -> dict[str, str]:
    """Service → temps médians aux trois plus proches, « 4, 6 et 9 min »."""
    textes: dict[str, str] = {}
    rangs = {mode: rang for rang, mode in enumerate(("voiture", "tc", "velo"))}
    # Le mode qui l'emporte est lu en dernier : à vélo, sinon transport collectif, sinon voiture.
    for _, ligne in sorted(lignes.iterrows(), key=lambda paire: rangs.get(paire[1]["mode"], -1)):
        proche = ligne["palier"] == "proximite"
        if ligne["mode"] not in (("velo",) if proche else ("voiture", "tc")):
            continue
        temps = [float(ligne[c]) for c in ligne.index if str(c).startswith("temps_median_")]
        if not np.isnan(temps).all():
            minutes = [nombre(round(t / 60)) if np.isfinite(t) else "–" for t in temps]
            textes[str(ligne["service"])] = " · ".join(minutes) + "\u00a0min"
    return textes


def _deblocages(partage: Partage, analyses: Analyses, type_zone: str, code: str) -> str:
    """Service décisif de chaque palier, seniors et soins, quand les données les donnent."""
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    paniers = [
        f"Palier {LIBELLES_PALIERS[str(p['palier'])]} : il ne manque que « "
        f"{libelles[str(p['service_decisif'])]} » à "
        f"{pluriel(round(float(p['population_decisif_hab'])), 'habitant')}."
        for _, p in _zone(analyses["paniers"], type_zone, code).iterrows()
        if str(p["service_decisif"]) and p["population_decisif_hab"] >= 1
    ]
    blocs = [_liste("Ce qui compléterait le plus de paniers", paniers)]
    if "marcheurs" in analyses:
        seniors = _zone(analyses["marcheurs"], type_zone, code)
        seniors = seniors[seniors["perdent_hab"] >= 1]
        seniors = seniors.sort_values("perdent_hab", ascending=False, kind="stable")
        blocs.append(
            _liste(
                "Ce que l’âge éloigne",
                [
                    f"{pluriel(round(float(s['perdent_hab'])), 'habitant')} de {s['libelle']} ne "
                    f"vont plus à pied à « {libelles[str(s['service'])]} » en "
                    f"{duree(float(s['seuil_s']))}, à {nombre(float(s['vitesse_kmh']), 1)} km/h."
                    for _, s in seniors.head(PERTES_MONTREES).iterrows()
                ],
            )
        )
    if "soins" in analyses:
        soins = _zone(analyses["soins"], type_zone, code).drop_duplicates("service")
        blocs.append(
            _liste(
                "Accès concurrentiel aux soins",
                [
                    f"« {libelles[str(s['service'])]} » : "
                    f"{nombre(float(s['professionnels_pour_100000_hab']))} pour 100 000 habitants, "
                    "partagés entre tous ceux qui peuvent les rejoindre."
                    for _, s in soins.iterrows()
                ],
            )
        )
    return f'<div class="dh-cote trois">{"".join(b for b in blocs if b)}</div>'


def _liste(titre: str, phrases: Sequence[str]) -> str:
    if not phrases:
        return ""
    corps = "".join(f"<li>{escape(p)}</li>" for p in phrases)
    return f'<section><h3 class="dh-h2">{titre}</h3><ul class="dh-liste">{corps}</ul></section>'
