"""Vue « Friches » : classement à poids réglables, carte, fiche de la friche choisie."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from accessibilite.croisements.friches import CroisementFriches, classer_friches
from accessibilite.croisements.sites import situer_sites
from couches.couche import EntreeLegende
from couches.ecran.petit_fond import Entite, noms_a_l_ecart
from couches.ecran.petite_carte import assembler, calque_numeros, calque_points
from couches.textes import nombre, pluriel
from donnees_geo.configuration.croisements import CRITERES, LIBELLES_CRITERES
from pages._commun.etat import est_projecteur
from pages._commun.gabarit import message
from pages._commun.partage import Partage
from pages._themes import donnees, ecran
from pages._themes.fiche_friche import (
    composer_acces,
    dire_hectares,
    dire_inondation,
    majuscule,
    panneau,
    premieres,
    tableau_acces,
    tableau_criteres,
)
from pages._themes.reglages import ReglagesPage

#: Friches numérotées sur la carte.
PREMIER_RANG: Final = 10
#: Rang au plus égal → intitulé, couleur et surface (px²) du signe.
RANGS: Final = (
    (PREMIER_RANG, "dix premières, numérotées", "#6b4f00", 330.0),
    (30, "de la 11e à la 30e", "#c9972b", 110.0),
    (None, "suivantes", "#efdfae", 60.0),
)
#: Surface (px²) du signe de la friche choisie, au moins.
TAILLE_CHOISIE: Final = 180.0
#: Poids proposés ; l'adresse les garde.
POIDS: Final = tuple(n / 2 for n in range(11))


def permettre(partage: Partage) -> dict[str, list[Any]]:
    """Réglages de la vue : poids de chaque critère, friche choisie."""
    depart = donnees.hypotheses(partage).poids
    permis: dict[str, list[Any]] = {
        f"poids_{c}": [depart[c], *(p for p in POIDS if p != depart[c])] for c in CRITERES
    }
    table = donnees.themes(partage).friches
    if table is not None:
        permis["friche"] = ["", *table["friche"].astype(str)]
    return permis


def regler(partage: Partage, reglages: ReglagesPage) -> None:
    """Curseurs des poids."""
    st.html('<p class="dh-h2">Ce qui compte dans le classement</p>')
    for critere in CRITERES:
        nom = f"poids_{critere}"
        st.select_slider(
            majuscule(LIBELLES_CRITERES[critere]),
            sorted(reglages.choix(nom)),
            key=reglages.cle(nom),
            format_func=lambda p: nombre(p, 1) if p % 1 else nombre(p),
            on_change=reglages.relever,
            args=(nom,),
        )


def afficher(partage: Partage, reglages: ReglagesPage) -> None:
    """Afficher la vue."""
    with ecran.avancement("Accès des friches") as avancer:
        lues = donnees.friches(partage, avancer)
    if lues is None:
        st.html(
            message(
                "Ce territoire n’a pas d’inventaire de friches.",
                "Ajoutez [couches] friches au manifeste (standard CNIG ou Cartofriches).",
                genre="note",
            )
        )
        return
    poids = {c: float(reglages[f"poids_{c}"]) for c in CRITERES}
    if sum(poids.values()) <= 0:
        st.html(message("Tous les poids sont nuls.", "Donnez un poids à un critère au moins."))
        return
    croisement, fiches = lues
    rangs = classer_friches(fiches, donnees.hypotheses(partage), poids)
    ligne = _friche_choisie(str(reglages["friche"]), rangs, fiches)
    code = str(fiches["friche"].iloc[ligne])
    total = float(fiches["surface_ha"].sum())
    with ecran.vue(
        "Que peut accueillir chaque friche ?",
        f"{pluriel(len(fiches), 'friche')} à reconvertir, {nombre(total)} ha de surface connue",
    ) as (gauche, droite):
        with gauche:
            _carte(partage, reglages, croisement, fiches, rangs, ligne)
        droite.html(
            panneau(partage, croisement, fiches, ligne)
            + (
                premieres(partage, fiches, rangs)
                if est_projecteur()
                else tableau_criteres(rangs.loc[[ligne]], poids)
            )
            + dire_inondation(croisement, ligne)
        )
    if est_projecteur():
        return
    ecran.section("Les friches, de la mieux à la moins bien placée")
    _classement(partage, reglages, fiches, rangs, code)
    acces = composer_acces(partage, croisement, ligne)
    st.html(tableau_acces(partage, str(fiches["nom"].iloc[ligne]), acces))
    ecran.telecharger(
        {
            "Friches classées": (
                rangs.join(fiches).drop(columns=["dans_stock"]),
                "friches_classees.csv",
            ),
            "Accès depuis la friche": (acces, f"friche_{code}.csv"),
        }
    )


def _friche_choisie(choisie: str, rangs: pd.DataFrame, fiches: pd.DataFrame) -> int:
    """Ligne de la friche montrée : la dernière choisie, sinon la première du classement."""
    trouvees = fiches.index[fiches["friche"] == choisie]
    return int(trouvees[0]) if len(trouvees) else int(rangs.index[0])


def _carte(
    partage: Partage,
    reglages: ReglagesPage,
    croisement: CroisementFriches,
    fiches: pd.DataFrame,
    rangs: pd.DataFrame,
    choisie: int,
) -> None:
    xy = situer_sites(croisement.friches.geometry.to_numpy())
    points: list[Entite] = []
    # Les dernières du classement d'abord : les premières se dessinent par-dessus.
    for ligne, rang in zip(rangs.index[::-1].tolist(), rangs["rang"][::-1].tolist(), strict=True):
        _, _, couleur, taille = next(r for r in RANGS if r[0] is None or rang <= r[0])
        points.append(
            {
                "code": str(fiches["friche"].iloc[ligne]),
                "x": round(float(xy[ligne, 0])),
                "y": round(float(xy[ligne, 1])),
                "friche": str(fiches["nom"].iloc[ligne]),
                "detail": f"{rang}e, {dire_hectares(float(fiches['surface_ha'].iloc[ligne]))}",
                "numero": str(rang),
                "couleur": couleur,
                "taille": max(taille, TAILLE_CHOISIE) if ligne == choisie else taille,
                "premiere": rang <= PREMIER_RANG,
                "bord": "#4a3a10",
                "choisie": ligne == choisie,
            }
        )
    titre, zones, legende = donnees.calques_risque(partage)
    numerotes = [p for p in points if p["premiere"]]
    signes = [EntreeLegende(couleur, texte, "rond") for _, texte, couleur, _ in RANGS]
    carte = assembler(
        donnees.fond(partage),
        [
            *zones,
            calque_points(points, {"friche": "friche", "detail": "rang"}, choix=True),
            calque_numeros(numerotes),
        ],
        f"Carte des {len(points)} friches selon leur rang dans le classement, et des zones "
        "réglementées du plan de prévention ; le tableau dessous dit la même chose.",
        noms=noms_a_l_ecart(donnees.fond(partage), numerotes),
    )
    ecran.montrer_carte(
        carte,
        [
            ecran.legende_signes("Rang", signes),
            ecran.legende_signes(titre, legende),
        ],
        cle_carte="carte_friches",
        choisir=lambda code: reglages.poser("friche", code),
    )


def _classement(
    partage: Partage,
    reglages: ReglagesPage,
    fiches: pd.DataFrame,
    rangs: pd.DataFrame,
    choisi: str,
) -> None:
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    ordre = fiches.reindex(rangs.index)
    montre = pd.DataFrame(
        {
            "rang": rangs["rang"],
            "friche": ordre["nom"],
            "commune": ordre["code_commune"].map(partage.noms_communes),
            "score": 100 * rangs["score"],
            "surface": ordre["surface_ha"],
            "habitants à 15 min": ordre["population_hab"].round(),
            "services manquants": ordre["manques"],
            "à y ouvrir": ordre.get("meilleur_service", pd.Series("", ordre.index))
            .map(libelles)
            .fillna(""),
            "habitants alors desservis": ordre.get(
                "meilleur_gain_hab", pd.Series(float("nan"), ordre.index)
            ),
            "part interdite": ordre.get("part_interdite", pd.Series(float("nan"), ordre.index)),
        }
    )
    ecran.montrer_table(
        montre,
        {
            "surface": dire_hectares,
            "habitants à 15 min": ecran.ENTIER,
            "habitants alors desservis": ecran.ENTIER,
            "part interdite": ecran.PART,
        },
        cle_table="table_friches",
        codes=ordre["friche"].astype(str).tolist(),
        choisi=choisi,
        choisir=lambda code: reglages.poser("friche", code),
        barres=("score",),
        hauteur=420,
    )


VUE: Final = ecran.Vue("Friches", permettre, regler, afficher)
