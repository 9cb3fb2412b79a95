"""Volet « Niveau de vie et quartiers » : l'accès des plus modestes et des plus aisés (HTML)."""

from __future__ import annotations

from html import escape
from typing import Any, Final

import numpy as np
import pandas as pd

from couches.composition import nommer_service
from couches.textes import duree, nombre, part
from pages._carences.donnees import Analyses
from pages._commun.gabarit import grand_chiffre, hypothese, phrase
from pages._commun.partage import Partage

ATTEINTS: Final = "services_atteints"


def mesures_equite(partage: Partage, analyses: Analyses) -> dict[str, str]:
    """Ce qui se mesure par niveau de vie : l'ensemble des services, puis chacun."""
    table = analyses.get("equite", pd.DataFrame())
    presentes = set(table["mesure"]) if len(table) else set()
    libelles = {ATTEINTS: "Tous les services"} | {
        s.id: f"{s.libelle[:1].upper()}{s.libelle[1:]}" for s in partage.resultat.services
    }
    return {m: nom for m, nom in libelles.items() if m in presentes}


def poser_question(partage: Partage, mesure: str) -> str:
    """Titre du volet."""
    service = next((s for s in partage.resultat.services if s.id == mesure), None)
    return _poser_question(None if service is None else nommer_service(service))


def decrire_equite(partage: Partage, analyses: Analyses, mesure: str) -> str:
    """Accès par décile, rapport de Palma, indice de concentration, quartiers prioritaires."""
    deciles = analyses["equite_deciles"]
    deciles = deciles[deciles["mesure"] == mesure]
    ligne = analyses["equite"][analyses["equite"]["mesure"] == mesure].iloc[0]
    bas, haut = deciles.iloc[0], deciles.iloc[-1]
    ensemble = mesure == ATTEINTS
    service = next((s for s in partage.resultat.services if s.id == mesure), None)
    nom = None if service is None else nommer_service(service)
    quoi = "des services, en moyenne" if nom is None else f"ont {nom} à portée"
    ecart = 100 * (float(haut["part_desservie"]) - float(bas["part_desservie"]))
    return (
        grand_chiffre(
            f"{'+' if round(ecart) > 0 else ''}{nombre(ecart)} points",
            f"d’écart entre le dixième le plus aisé ({part(float(haut['part_desservie']))}) et le "
            f"plus modeste ({part(float(bas['part_desservie']))}) : part {quoi}",
        )
        + phrase(_dire_indices(ligne, ensemble=ensemble))
        + _tableau(deciles, ensemble=ensemble)
        + hypothese(
            "Déciles du territoire, non du pays : chaque dixième réunit un dixième des habitants, "
            "rangés par niveau de vie moyen de leur carreau. Dans "
            f"{part(_part_imputee(deciles))} des cas ce niveau de vie est imputé par l’Insee."
        )
        + _quartiers(partage, analyses, mesure)
    )


def _poser_question(nom: str | None) -> str:
    if nom is None:
        return "Les plus modestes atteignent-ils autant de services que les plus aisés ?"
    return f"Les plus modestes ont-ils {nom} à portée autant que les plus aisés ?"


def _part_imputee(deciles: pd.DataFrame) -> float:
    poids = deciles["population_hab"].to_numpy(dtype=np.float64)
    parts = deciles["part_imputee"].to_numpy(dtype=np.float64)
    garde = np.isfinite(parts) & (poids > 0)
    return float(np.average(parts[garde], weights=poids[garde])) if garde.any() else float("nan")


def _dire_indices(ligne: pd.Series[Any], *, ensemble: bool) -> str:
    palma, concentration = float(ligne["palma"]), float(ligne["indice_concentration"])
    if not np.isfinite(palma):
        return "Les niveaux de vie sont trop semblables pour comparer aisés et modestes."
    compte = "le nombre de services atteints" if ensemble else "le temps d’accès"
    if abs(palma - 1) < 0.02:
        sens = "est presque le même pour les deux groupes"
    else:
        plus = "grand" if ensemble else "long"
        sens = f"est plus {plus} pour les {'plus aisés' if palma > 1 else 'plus modestes'}"
    return (
        f"Des 40 % les plus modestes aux 10 % les plus aisés, {compte} {sens} : rapport de Palma "
        f"{nombre(palma, 2)}, indice de concentration {nombre(concentration, 3)} (0 : égalité)."
    )


def _tableau(deciles: pd.DataFrame, *, ensemble: bool) -> str:
    lignes = []
    for _, d in deciles.iterrows():
        valeur = float(d["part_desservie"])
        largeur = 100 * valeur if np.isfinite(valeur) else 0.0
        temps = "" if ensemble else f"<td class='n'>{duree(float(d['temps_median_s']))}</td>"
        rang = int(d["decile"])
        nom = {1: "1er, les plus modestes", 10: "10e, les plus aisés"}.get(rang, f"{rang}e")
        lignes.append(
            f"<tr><th scope='row'>{nom}</th>"
            f"<td class='n'>{nombre(float(d['niveau_vie_moyen_eur']))} €</td>"
            f"<td class='n'>{nombre(float(d['population_hab']))}</td>"
            f"<td class='n'>{part(valeur)}</td>"
            f"<td class='barre'><span style='width:{largeur:.1f}%'></span></td>{temps}</tr>"
        )
    titre_temps = "" if ensemble else '<th scope="col" class="n">temps médian</th>'
    colonne = "services atteints" if ensemble else "à portée"
    return (
        '<table class="dh-legende dh-deciles"><thead><tr><th scope="col">dixième</th>'
        '<th scope="col" class="n">niveau de vie moyen par an</th>'
        f'<th scope="col" class="n">habitants</th><th scope="col" class="n">{colonne}</th>'
        f'<td class="barre"></td>{titre_temps}</tr></thead><tbody>{"".join(lignes)}</tbody></table>'
    )


def _quartiers(partage: Partage, analyses: Analyses, mesure: str) -> str:
    """Quartiers prioritaires face au reste du territoire, ou pourquoi ils ne sont pas là."""
    titre = '<h2 class="dh-section">Quartiers prioritaires de la ville</h2>'
    table = analyses.get("quartiers", pd.DataFrame())
    if not len(table):
        return titre + phrase(
            "Ce territoire n’a pas de couche « qpv » : ajoutez [couches] qpv au manifeste pour "
            "comparer les quartiers prioritaires au reste."
        )
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    voulues = [mesure] if mesure in set(table["mesure"]) else list(dict.fromkeys(table["mesure"]))
    lignes = []
    for nom in voulues:
        dans, reste = (
            table[(table["mesure"] == nom) & (table["lieu"] == lieu)].iloc[0]
            for lieu in ("quartiers", "reste")
        )
        lignes.append(
            f"<tr><th scope='row'>{escape(libelles.get(str(nom), str(nom)))}</th>"
            f"<td class='n'>{nombre(float(dans['population_hab']))}</td>"
            f"<td class='n'>{part(float(dans['part_desservie']))}</td>"
            f"<td class='n'>{part(float(reste['part_desservie']))}</td>"
            f"<td class='n'>{duree(float(dans['temps_median_s']))}</td>"
            f"<td class='n'>{duree(float(reste['temps_median_s']))}</td></tr>"
        )
    return (
        f'{titre}<table class="dh-tableau"><thead><tr><th scope="col">service</th>'
        '<th scope="col" class="n">habitants des quartiers</th>'
        '<th scope="col" class="n">à portée, quartiers</th>'
        '<th scope="col" class="n">à portée, reste</th>'
        '<th scope="col" class="n">temps médian, quartiers</th>'
        '<th scope="col" class="n">temps médian, reste</th></tr></thead>'
        f"<tbody>{''.join(lignes)}</tbody></table>"
        + hypothese(
            "Un carreau est dans un quartier si son point de demande y tombe : à 200 m, c’est une "
            "approximation du contour."
        )
    )
