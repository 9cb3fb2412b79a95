"""Fiche d'une friche (HTML) : ce qu'elle est, ses notes, ses accès, son exposition."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import pandas as pd

from accessibilite.croisements.friches import CroisementFriches
from accessibilite.etude import colonne_temps
from couches.textes import duree, nombre, part, pluriel
from donnees_geo.configuration.croisements import CRITERES, LIBELLES_CRITERES
from donnees_geo.conventions import LIBELLES_MODES, LIBELLES_PALIERS
from donnees_geo.thematiques.zones_inondables_codes import HORS_ZONE, LIBELLES_FAMILLES, NIVEAUX
from pages._commun.gabarit import grand_chiffre, hypothese, phrase
from pages._commun.partage import Partage
from pages._themes import donnees, ecran

ORIGINES: Final = {
    "contour": " mesurés sur le contour",
    "declaree": " déclarés",
    "inconnue": "",
}
POLLUTIONS: Final = {
    "averee": "pollution avérée",
    "supposee": "pollution supposée",
    "peu_probable": "pollution peu probable",
    "traitee": "pollution traitée",
    "inexistante": "pas de pollution",
    "inconnue": "pollution inconnue",
}
#: Friches nommées en salle.
PREMIERES: Final = 5


def panneau(
    partage: Partage,
    croisement: CroisementFriches,
    fiches: pd.DataFrame,
    ligne: int,
) -> str:
    """Ce qu'est la friche choisie, qui habite autour, ce qui y manque."""
    friche = fiches.iloc[ligne]
    habitants = "habitants" if croisement.par_population else "m² de carreaux"
    commune = partage.noms_communes.get(str(friche["code_commune"]), "")
    surface = dire_hectares(float(friche["surface_ha"]))
    return "".join(
        [
            f'<h2 class="dh-nom">{escape(str(friche["nom"]))}</h2>',
            phrase(
                f"{commune} ; {_dire_type(str(friche['type']))} ; {surface}"
                f"{ORIGINES[str(friche['surface_origine'])]} ; "
                f"zone {friche['zone_urbanisme'] or 'd’urbanisme inconnue'} ; "
                f"{POLLUTIONS[str(friche['pollution'])]}."
            ),
            grand_chiffre(
                nombre(float(friche["population_hab"])),
                f"{habitants} à moins de "
                f"{duree(donnees.hypotheses(partage).seuil_proximite_s)} à pied ou à vélo",
            ),
            phrase(_dire_manques(partage, friche)),
        ]
    )


def premieres(partage: Partage, fiches: pd.DataFrame, rangs: pd.DataFrame) -> str:
    """Les premières du classement, pour la salle."""
    ordre = fiches.reindex(rangs.index).head(PREMIERES)
    scores = 100 * rangs["score"].head(PREMIERES)
    lignes = [
        (f"{rang}. {nom}", partage.noms_communes.get(str(code), ""), nombre(score))
        for rang, nom, code, score in zip(
            rangs["rang"].head(PREMIERES).tolist(),
            ordre["nom"].tolist(),
            ordre["code_commune"].tolist(),
            scores.tolist(),
            strict=True,
        )
    ]
    titre = '<h3 class="dh-h2">Les mieux placées</h3>'
    entetes = ("friche", "commune", "score sur 100")
    return titre + ecran.tableau_court(entetes, lignes, "Friches les mieux placées", textes=2)


def dire_hectares(valeur: float) -> str:
    """Surface en hectares ; deux décimales aux très petites, qui ne sont pas nulles.

    Examples
    --------
    >>> dire_hectares(2.94), dire_hectares(0.04), dire_hectares(float("nan"))
    ('2,9 ha', '0,04 ha', 'surface inconnue')
    """
    if valeur != valeur:
        return "surface inconnue"
    return f"{nombre(valeur, 2 if valeur < 0.1 else 1)} ha"


def majuscule(texte: str) -> str:
    return texte[:1].upper() + texte[1:]


def _dire_type(code: str) -> str:
    """« friche industrielle » d'un code du catalogue."""
    texte = code.replace("_", " ")
    return texte if texte.startswith(("friche", "mixte")) else f"friche : {texte}"


def _dire_manques(partage: Partage, friche: pd.Series[Any]) -> str:
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    manques = int(friche["manques"])
    if not manques:
        return "Tous les services mesurés sont à portée du site, par la règle de leur palier."
    texte = f"{pluriel(manques, 'service')} hors de portée du site"
    service = str(friche.get("meilleur_service", ""))
    if service:
        gain = pluriel(round(float(friche["meilleur_gain_hab"])), "habitant")
        texte += f" ; y ouvrir « {libelles.get(service, service)} » desservirait {gain} de plus"
    return texte + "."


def tableau_criteres(rang: pd.DataFrame, poids: Mapping[str, float]) -> str:
    """Notes d'une friche (table d'une ligne), leur poids et le score."""
    # Le rang est un entier pandas : à part, les notes inconnues restent des NaN.
    notes = rang.drop(columns="rang").iloc[0]
    lignes = []
    for critere in CRITERES:
        note = 100 * float(notes[f"note_{critere}"])
        barre = 0 if note != note else round(note)
        lignes.append(
            f"<tr><th scope='row'>{escape(majuscule(LIBELLES_CRITERES[critere]))}</th>"
            f"<td><span class='dh-note'><span style='width:{barre}%'></span></span></td>"
            f"<td class='n'>{nombre(note)}</td>"
            f"<td class='n'>{nombre(poids[critere], 1 if poids[critere] % 1 else 0)}</td></tr>"
        )
    rangee, score = int(rang["rang"].iloc[0]), nombre(100 * float(notes["score"]))
    connu = float(notes["poids_connus"])
    reste = "" if connu >= 1 else f" Ici, {part(connu, 0)} du poids est connu."
    return (
        f'<h3 class="dh-h2">Rang {rangee}, score {score} sur 100</h3>'
        '<table class="dh-pires"><thead><tr><th scope="col">critère</th><td></td>'
        '<th scope="col" class="n">note</th><th scope="col" class="n">poids</th></tr></thead>'
        f"<tbody>{''.join(lignes)}</tbody></table>"
        + hypothese(
            "Score : moyenne des notes connues, pondérée par les poids réglés à gauche ; un "
            f"critère inconnu (–) n’y entre pas.{reste}"
        )
    )


def composer_acces(partage: Partage, croisement: CroisementFriches, ligne: int) -> pd.DataFrame:
    """Accès depuis une friche : une ligne par service mesuré.

    Returns
    -------
    pandas.DataFrame
        ``service``, ``palier``, ``temps_<mode>_s`` par mode de l'étude (vide : inaccessible),
        ``hors_de_portee`` (règle du palier) et ``gain_hab`` (NaN hors du palier de proximité).
    """
    modes = [m for m in partage.resultat.modes if m in LIBELLES_MODES]
    acces = croisement.acces.iloc[ligne]
    lignes = []
    for service in partage.resultat.services:
        if service.id not in croisement.manques:
            continue
        gains = croisement.gains
        lignes.append(
            {
                "service": service.libelle,
                "palier": LIBELLES_PALIERS[service.palier],
                **{f"temps_{m}_s": float(acces[colonne_temps(service.id, m)]) for m in modes},
                "hors_de_portee": bool(croisement.manques[service.id].iloc[ligne]),
                "gain_hab": float(gains[service.id].iloc[ligne])
                if service.id in gains
                else float("nan"),
            }
        )
    return pd.DataFrame(lignes)


def tableau_acces(partage: Partage, nom: str, acces: pd.DataFrame) -> str:
    modes = [m for m in partage.resultat.modes if f"temps_{m}_s" in acces]
    lignes = []
    for enregistrement in acces.to_dict("records"):
        temps = "".join(
            f"<td class='n'>{duree(float(enregistrement[f'temps_{m}_s']))}</td>" for m in modes
        )
        portee = "<strong>hors de portée</strong>" if enregistrement["hors_de_portee"] else "oui"
        lignes.append(
            f"<tr><th scope='row'>{escape(str(enregistrement['service']))}</th>"
            f"<td>{escape(str(enregistrement['palier']))}</td>{temps}<td>{portee}</td>"
            f"<td class='n'>{nombre(float(enregistrement['gain_hab']))}</td></tr>"
        )
    entetes = "".join(f'<th scope="col" class="n">{escape(LIBELLES_MODES[m])}</th>' for m in modes)
    return (
        f'<h2 class="dh-section">Accès aux services depuis la friche : {escape(nom)}</h2>'
        '<div class="dh-defile" tabindex="0" role="region" aria-label="Accès depuis la friche">'
        '<table class="dh-tableau"><thead><tr><th scope="col">service</th>'
        f'<th scope="col">palier</th>{entetes}<th scope="col">à portée</th>'
        '<th scope="col" class="n">habitants desservis s’il y ouvrait</th></tr></thead>'
        f"<tbody>{''.join(lignes)}</tbody></table></div>"
    )


def dire_inondation(croisement: CroisementFriches, ligne: int) -> str:
    if croisement.inondation is None:
        return phrase("Aucune zone inondable n’est fournie : le risque n’est pas connu.")
    siennes = croisement.inondation[croisement.inondation["rang"] == ligne]
    if siennes.empty:
        return phrase("La friche est hors des zones inondables fournies.") + hypothese(HORS_ZONE)
    niveaux = {(f, n.code): n.libelle for f, liste in NIVEAUX.items() for n in liste}
    textes = [
        f"{part(float(p), 0)} en {niveaux[f, n]} ({LIBELLES_FAMILLES[f]})"
        for f, n, p in zip(siennes["famille"], siennes["niveau"], siennes["part"], strict=True)
    ]
    return phrase("Surface du site : " + " ; ".join(textes) + ".") + hypothese(HORS_ZONE)
