"""Page Commerces : offre et vacance par commune, marchés de la semaine, services qui manquent."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import shapely
import streamlit as st

from couches.textes import duree, nombre, part, pluriel
from donnees_geo.conventions import JOURS
from donnees_geo.thematiques.commerces_categories import lire_categories
from pages._carences.donnees import ecrire_csv
from pages._commun.etat import cle
from pages._commun.gabarit import grand_chiffre, hypothese, message, phrase
from pages._commun.partage import Partage
from pages._commun.presentation import avertissements, menu
from pages._themes import donnees

TOUTES: Final = "toutes"
COULEURS: Final = {"commerce": "#2c7a6b", "local vacant": "#b5443b", "marché du jour": "#5b2a86"}


def principal(partage: Partage) -> None:
    """Afficher la page."""
    st.session_state[cle("projecteur")] = False
    familles: dict[str, str] = {
        TOUTES: "Toutes",
        **{c.famille: c.famille.capitalize() for c in lire_categories()},
    }
    with st.sidebar:
        menu(partage, "Commerces")
        famille = st.selectbox(
            "Famille de commerces", list(familles), format_func=familles.__getitem__
        )
        jour = st.selectbox("Jour de marché", range(len(JOURS)), format_func=JOURS.__getitem__)
    avertissements(partage)
    st.html('<h1 class="dh-titre">Où sont les commerces, et que manque-t-il autour ?</h1>')
    lu = donnees.commerce(partage)
    if lu is None:
        st.html(
            message(
                "Ce territoire n’a pas de commerces connus.",
                "Ajoutez [couches] commerces au manifeste, ou la BPE, ou OpenStreetMap.",
                genre="note",
            )
        )
        return
    _chiffres(partage, lu, int(jour or 0))
    gauche, droite = st.columns([3, 2])
    with gauche:
        _tableau_communes(lu)
    with droite:
        st.vega_lite_chart(
            _carte(partage, famille or TOUTES, int(jour or 0)), key="carte_commerces",
            width="stretch",
        )  # fmt: skip
    _vacance(partage, lu)
    _marches(lu, partage)


def _chiffres(partage: Partage, lu: donnees.Commerce, jour: int) -> None:
    communes = lu.communes
    total = float(communes["commerces"].sum())
    vacants = float(communes["locaux_vacants"].sum(min_count=1))
    colonnes = st.columns(3)
    with colonnes[0]:
        st.html(grand_chiffre(nombre(total), "commerces en activité"))
    with colonnes[1]:
        taux = part(vacants / (total + vacants)) if vacants == vacants else "–"
        st.html(grand_chiffre(taux, f"de locaux vacants ({nombre(vacants)})"))
    with colonnes[2]:
        desservis = "–"
        if lu.marches is not None:
            ligne = lu.marches[
                (lu.marches["zone_type"] == "territoire") & (lu.marches["jour"] == jour)
            ]
            desservis = part(float(ligne["part_desservie"].iloc[0]))
        minutes = duree(donnees.hypotheses(partage).seuil_proximite_s)
        st.html(
            grand_chiffre(desservis, f"ont un marché à {minutes} à pied ou à vélo le {JOURS[jour]}")
        )
    if vacants != vacants:
        st.html(
            hypothese(
                "La vacance n’est pas mesurée : la source des commerces ne relève pas les locaux "
                "vides, et aucune base nationale ouverte ne le fait."
            )
        )


def _tableau_communes(lu: donnees.Commerce) -> None:
    table = lu.communes.sort_values("commerces", ascending=False)
    montre = pd.DataFrame(
        {
            "commune": table["nom"],
            "commerces": table["commerces"],
            "catégories": table["categories"],
            "diversité": table["diversite"],
            "pour 1 000 hab.": table["densite_1000_hab"],
            "locaux vacants": table["locaux_vacants"],
            "vacance": 100 * table["taux_vacance"],
            "jours de marché": table["jours_marche"],
        }
    )
    st.dataframe(
        montre,
        hide_index=True,
        height=430,
        width="stretch",
        column_config={
            "diversité": st.column_config.NumberColumn(
                format="%.1f", help="Nombre équivalent de catégories également représentées."
            ),
            "pour 1 000 hab.": st.column_config.NumberColumn(format="%.1f"),
            "vacance": st.column_config.NumberColumn(format="%.0f %%"),
        },
    )
    st.download_button(
        "Communes (CSV)", ecrire_csv(lu.communes), file_name="commerces.csv", mime="text/csv"
    )


def _carte(partage: Partage, famille: str, jour: int) -> dict[str, Any]:
    """Commerces d'une famille, locaux vacants et marchés du jour."""
    lus = donnees.themes(partage)
    noms = {c.id: c.libelle for c in lire_categories() if famille in (TOUTES, c.famille)}
    points: list[dict[str, Any]] = []
    if lus.commerces is not None:
        montres = lus.commerces[
            lus.commerces["categorie"].isin(list(noms)) | lus.commerces["vacant"]
        ]
        montres = montres.head(donnees.OBJETS_MAX)
        xy = shapely.get_coordinates(montres.geometry.to_numpy())
        for (x, y), nom, categorie, vacant in zip(
            xy, montres["nom"], montres["categorie"], montres["vacant"], strict=True
        ):
            points.append(
                donnees.entite_point(
                    x,
                    y,
                    {
                        "nom": str(nom) or "sans nom",
                        "texte": "local vacant" if vacant else noms[categorie],
                        "classe": "local vacant" if vacant else "commerce",
                    },
                )
            )
    if lus.marches is not None:
        du_jour = lus.marches[lus.marches["jour"] == jour]
        xy = shapely.get_coordinates(du_jour.geometry.to_numpy())
        for (x, y), nom, lieu in zip(xy, du_jour["nom"], du_jour["lieu"], strict=True):
            attributs = {"nom": str(nom), "texte": str(lieu), "classe": "marché du jour"}
            points.append(donnees.entite_point(x, y, attributs))
    carte = donnees.carte_des_couches(
        partage, [], points, titre_points="Commerces", couleurs_points=COULEURS
    )
    carte["layer"][-1]["mark"]["pointRadius"] = 3
    return carte


def _vacance(partage: Partage, lu: donnees.Commerce) -> None:
    st.html('<h2 class="dh-section">Des locaux vides là où un service manque</h2>')
    if lu.vacance.empty:
        st.html(
            phrase("Aucune commune n’a à la fois un local vacant connu et un service manquant.")
        )
        return
    communes = lu.vacance["zone_code"].nunique()
    st.html(
        phrase(
            f"{pluriel(communes, 'commune')} : des locaux vacants, et des habitants à qui manque "
            "un service qu’un local peut accueillir."
        )
    )
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    montre = pd.DataFrame(
        {
            "commune": lu.vacance["zone_nom"],
            "locaux vacants": lu.vacance["locaux_vacants"],
            "service": lu.vacance["service"].map(libelles),
            "habitants concernés": lu.vacance["population_carence_hab"].round(),
            "part": 100 * lu.vacance["part_carence"],
            "lieux dans la commune": lu.vacance["equipements_commune"],
        }
    )
    st.dataframe(
        montre,
        hide_index=True,
        height=320,
        width="stretch",
        column_config={"part": st.column_config.NumberColumn(format="%.0f %%")},
    )
    st.download_button(
        "Vacance et manques (CSV)",
        ecrire_csv(lu.vacance),
        file_name="vacance_manques.csv",
        mime="text/csv",
    )


def _marches(lu: donnees.Commerce, partage: Partage) -> None:
    st.html('<h2 class="dh-section">Marchés</h2>')
    if lu.marches is None or lu.chalandise is None:
        st.html(phrase("Aucun marché n’est connu."))
        return
    semaine = lu.marches[lu.marches["zone_type"] == "territoire"]
    gauche, droite = st.columns(2)
    with gauche:
        st.html('<h3 class="dh-h2">Qui a un marché à portée, jour par jour</h3>')
        st.dataframe(
            pd.DataFrame(
                {
                    "jour": [JOURS[j] for j in semaine["jour"]],
                    "marchés": semaine["marches"],
                    "habitants": semaine["population_desservie_hab"].round(),
                    "part": 100 * semaine["part_desservie"],
                }
            ),
            hide_index=True,
            width="stretch",
            column_config={"part": st.column_config.NumberColumn(format="%.0f %%")},
        )
    with droite:
        minutes = duree(donnees.hypotheses(partage).seuil_chalandise_s)
        st.html(f'<h3 class="dh-h2">Zone de chalandise des marchés ({minutes} à pied)</h3>')
        table = lu.chalandise.sort_values("population_hab", ascending=False)
        st.dataframe(
            pd.DataFrame(
                {
                    "marché": table["nom"],
                    "jour": [JOURS[j] if j >= 0 else "inconnu" for j in table["jour"]],
                    "habitants": table["population_hab"].round(),
                    "commerces": table["commerces"],
                    "locaux vacants": table["locaux_vacants"],
                    "diversité": table["diversite"].round(1),
                }
            ),
            hide_index=True,
            height=300,
            width="stretch",
        )
    st.html(
        hypothese(
            "Habitants et commerces comptés sur le réseau de rues, à pied vers le marché "
            f"({nombre(partage.parametres.vitesse_marche_kmh, 1)} km/h)."
        )
    )


principal(st.session_state["partage"])
