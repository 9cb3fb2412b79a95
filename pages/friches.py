"""Page Friches et risques : que peut accueillir chaque friche, et qu'expose l'inondation."""

from __future__ import annotations

from html import escape
from typing import Any, Final

import pandas as pd
import streamlit as st

from accessibilite.croisements.friches import CroisementFriches, classer_friches
from accessibilite.croisements.sites import situer_sites
from accessibilite.etude import colonne_temps
from couches.textes import duree, nombre, part, pluriel
from donnees_geo.configuration.croisements import CRITERES, LIBELLES_CRITERES
from donnees_geo.conventions import LIBELLES_MODES, LIBELLES_PALIERS
from donnees_geo.thematiques.zones_inondables_codes import HORS_ZONE, LIBELLES_FAMILLES, NIVEAUX
from pages._carences.donnees import ecrire_csv
from pages._commun.etat import cle
from pages._commun.gabarit import grand_chiffre, hypothese, message, phrase
from pages._commun.partage import Partage
from pages._commun.presentation import avertissements, menu
from pages._themes import donnees

COULEURS_RANG: Final = {
    "dix premières": "#0b4a82",
    "onze à trente": "#7fabd0",
    "suivantes": "#d9b44a",
}
ORIGINES: Final = {
    "contour": "mesurés sur le contour",
    "declaree": "déclarés",
    "inconnue": "surface inconnue",
}
POLLUTIONS: Final = {
    "averee": "pollution avérée",
    "supposee": "pollution supposée",
    "peu_probable": "pollution peu probable",
    "traitee": "pollution traitée",
    "inexistante": "pas de pollution",
    "inconnue": "pollution inconnue",
}
_CHOIX: Final = "friche_choisie"


def principal(partage: Partage) -> None:
    """Afficher la page."""
    st.session_state[cle("projecteur")] = False
    poids: dict[str, float] = {}
    with st.sidebar:
        menu(partage, "Friches et risques")
        st.html('<p class="dh-phrase">Ce qui compte dans le classement</p>')
        for critere in CRITERES:
            poids[critere] = st.slider(
                LIBELLES_CRITERES[critere].capitalize(),
                0.0,
                5.0,
                donnees.hypotheses(partage).poids[critere],
                0.5,
            )
    avertissements(partage)
    st.html('<h1 class="dh-titre">Que peut accueillir chaque friche, et à quel risque ?</h1>')
    _friches(partage, poids)
    _inondation(partage)


def _friches(partage: Partage, poids: dict[str, float]) -> None:
    st.html('<h2 class="dh-section">Friches</h2>')
    attente = st.empty()
    lues = donnees.friches(
        partage, lambda etape, fait: _avancer(attente, f"Accès des friches : {etape}", fait)
    )
    attente.empty()
    if lues is None:
        st.html(
            message(
                "Ce territoire n’a pas d’inventaire de friches.",
                "Ajoutez [couches] friches au manifeste (standard CNIG ou Cartofriches).",
                genre="note",
            )
        )
        return
    if sum(poids.values()) <= 0:
        st.html(message("Tous les poids sont nuls.", "Donnez un poids à un critère au moins."))
        return
    croisement, fiches = lues
    rangs = classer_friches(fiches, donnees.hypotheses(partage), poids)
    ligne = _friche_choisie(rangs, fiches)
    gauche, droite = st.columns([3, 2])
    with gauche:
        _tableau(partage, fiches, rangs)
    with droite:
        st.vega_lite_chart(
            _carte(partage, croisement, fiches, rangs, ligne),
            key="carte_friches",
            on_select=lambda: _choisir_sur_la_carte(),
            width="stretch",
        )
    st.html(_fiche(partage, croisement, fiches, rangs, ligne))
    table = rangs.join(fiches).drop(columns=["dans_stock"])
    st.download_button(
        "Friches classées (CSV)", ecrire_csv(table), file_name="friches.csv", mime="text/csv"
    )


def _avancer(attente: Any, texte: str, fait: float) -> None:
    attente.progress(min(max(fait, 0.0), 1.0), text=texte)


def _friche_choisie(rangs: pd.DataFrame, fiches: pd.DataFrame) -> int:
    """Ligne de la friche montrée : la dernière choisie, sinon la première du classement."""
    choisie = str(st.session_state.get(_CHOIX, ""))
    trouvees = fiches.index[fiches["friche"] == choisie]
    return int(trouvees[0]) if len(trouvees) else int(rangs.index[0])


def _tableau(partage: Partage, fiches: pd.DataFrame, rangs: pd.DataFrame) -> None:
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    montre = pd.DataFrame(
        {
            "rang": rangs["rang"],
            "friche": fiches["nom"].reindex(rangs.index),
            "commune": fiches["code_commune"].map(partage.noms_communes).reindex(rangs.index),
            "score": 100 * rangs["score"],
            "surface (ha)": fiches["surface_ha"].reindex(rangs.index),
            "habitants à 15 min": fiches["population_hab"].reindex(rangs.index).round(),
            "services manquants": fiches["manques"].reindex(rangs.index),
            "à y ouvrir": fiches["meilleur_service"].map(libelles).fillna("").reindex(rangs.index),
        }
    )
    codes = fiches["friche"].reindex(rangs.index).tolist()
    st.dataframe(
        montre,
        key="table_friches",
        on_select=lambda: _choisir_dans_la_table(codes),
        selection_mode="single-row",
        hide_index=True,
        height=430,
        width="stretch",
        column_config={
            "score": st.column_config.ProgressColumn(format="%.0f", min_value=0, max_value=100),
            "surface (ha)": st.column_config.NumberColumn(format="%.1f"),
            "habitants à 15 min": st.column_config.NumberColumn(format="localized"),
        },
    )


def _choisir_dans_la_table(codes: list[str]) -> None:
    choisis = st.session_state["table_friches"].selection.rows
    if choisis:
        st.session_state[_CHOIX] = codes[choisis[0]]


def _choisir_sur_la_carte() -> None:
    choix = st.session_state["carte_friches"].selection.get("lieu") or []
    if choix and choix[0].get("code"):
        st.session_state[_CHOIX] = str(choix[0]["code"])


def _carte(
    partage: Partage,
    croisement: CroisementFriches,
    fiches: pd.DataFrame,
    rangs: pd.DataFrame,
    choisie: int,
) -> dict[str, Any]:
    xy = situer_sites(croisement.friches.geometry.to_numpy())
    points = []
    for ligne, rang in zip(rangs.index.tolist(), rangs["rang"].tolist(), strict=True):
        hectares = nombre(float(fiches["surface_ha"].iloc[ligne]), 1)
        points.append(
            donnees.entite_point(
                xy[ligne, 0],
                xy[ligne, 1],
                {
                    "code": str(fiches["friche"].iloc[ligne]),
                    "nom": str(fiches["nom"].iloc[ligne]),
                    "texte": f"rang {rang}, {hectares} ha",
                    "classe": _classe_rang(int(rang)),
                    "choisie": ligne == choisie,
                },
            )
        )
    points.sort(key=lambda p: bool(p["choisie"]))
    fiche = donnees.catalogue()["zones_inondables_reglement"]
    zones = donnees.themes(partage).zones_inondables
    formes = (
        []
        if zones is None
        else partage.objets.obtenir(
            ("formes", fiche.id), lambda: donnees.formes_classees(fiche, zones, {})
        )
    )
    return donnees.carte_des_couches(
        partage,
        [(fiche, formes)],
        points,
        titre_points="Friches, rang du classement",
        couleurs_points=COULEURS_RANG,
    )


def _classe_rang(rang: int) -> str:
    bornes = zip((10, 30), COULEURS_RANG, strict=False)
    return next((nom for borne, nom in bornes if rang <= borne), "suivantes")


def _fiche(
    partage: Partage,
    croisement: CroisementFriches,
    fiches: pd.DataFrame,
    rangs: pd.DataFrame,
    ligne: int,
) -> str:
    """Fiche d'une friche : critères notés, accès par mode, manques, zones inondables."""
    friche = fiches.iloc[ligne]
    habitants = "habitants" if croisement.par_population else "m²"
    commune = partage.noms_communes.get(str(friche["code_commune"]), "")
    surface = nombre(float(friche["surface_ha"]), 1)
    blocs = [
        f'<h3 class="dh-section">{escape(str(friche["nom"]))}</h3>',
        phrase(
            f"{commune} ; {friche['type']} ; {surface} ha "
            f"{ORIGINES[str(friche['surface_origine'])]} ; "
            f"zone {friche['zone_urbanisme'] or 'inconnue'} ; "
            f"{POLLUTIONS[str(friche['pollution'])]}."
        ),
        grand_chiffre(
            nombre(float(friche["population_hab"])),
            f"{habitants} à moins de "
            f"{duree(donnees.hypotheses(partage).seuil_proximite_s)} à pied ou à vélo",
        ),
        _tableau_criteres(
            int(rangs["rang"].loc[[ligne]].iloc[0]), rangs.drop(columns="rang").loc[[ligne]]
        ),
        _tableau_acces(partage, croisement, ligne),
        _phrases_inondation(croisement, ligne),
    ]
    return "".join(blocs)


def _tableau_criteres(rang: int, ligne: pd.DataFrame) -> str:
    """Notes d'une friche (table d'une ligne) et son score."""
    notes = ligne.iloc[0]
    lignes = "".join(
        f"<tr><th scope='row'>{escape(LIBELLES_CRITERES[c])}</th>"
        f"<td class='n'>{nombre(100 * float(notes[f'note_{c}']))}</td></tr>"
        for c in CRITERES
    )
    return (
        f'<h4 class="dh-h2">Rang {rang}, score {nombre(100 * float(notes["score"]))} '
        'sur 100</h4><table class="dh-tableau"><thead><tr><th scope="col">critère</th>'
        f'<th scope="col" class="n">note sur 100</th></tr></thead><tbody>{lignes}</tbody></table>'
        + hypothese(
            "Moyenne des notes connues, pondérée par les poids réglés à gauche ; un critère "
            "inconnu (–) n’y entre pas. Ici, "
            f"{part(float(notes['poids_connus']), 0)} du poids est connu."
        )
    )


def _tableau_acces(partage: Partage, croisement: CroisementFriches, ligne: int) -> str:
    modes = [m for m in partage.resultat.modes if m in LIBELLES_MODES]
    lignes = []
    for service in partage.resultat.services:
        if service.id not in croisement.manques:
            continue
        manque = bool(croisement.manques[service.id].iloc[ligne])
        gain = (
            nombre(float(croisement.gains[service.id].iloc[ligne]))
            if service.id in croisement.gains
            else "–"
        )
        acces = croisement.acces.iloc[ligne]
        temps = "".join(
            f"<td class='n'>{duree(float(acces[colonne_temps(service.id, m)]))}</td>" for m in modes
        )
        lignes.append(
            f"<tr><th scope='row'>{escape(service.libelle)}</th>"
            f"<td>{escape(LIBELLES_PALIERS[service.palier])}</td>{temps}"
            f"<td>{'hors de portée' if manque else ''}</td><td class='n'>{gain}</td></tr>"
        )
    entetes = "".join(f'<th scope="col" class="n">{escape(LIBELLES_MODES[m])}</th>' for m in modes)
    return (
        '<h4 class="dh-h2">Accès aux services depuis la friche</h4>'
        '<div class="dh-defile" tabindex="0" role="region" aria-label="Accès depuis la friche">'
        '<table class="dh-tableau"><thead><tr><th scope="col">service</th>'
        f'<th scope="col">palier</th>{entetes}<th scope="col">règle du palier</th>'
        '<th scope="col" class="n">habitants desservis s’il y ouvrait</th></tr></thead>'
        f"<tbody>{''.join(lignes)}</tbody></table></div>"
    )


def _phrases_inondation(croisement: CroisementFriches, ligne: int) -> str:
    if croisement.inondation is None:
        return phrase("Aucune zone inondable n’est fournie : le risque n’est pas connu.")
    classes = croisement.inondation
    siennes = classes[classes["rang"] == ligne]
    if siennes.empty:
        return phrase("La friche est hors des zones inondables fournies.") + hypothese(HORS_ZONE)
    niveaux = {(f, n.code): n.libelle for f, liste in NIVEAUX.items() for n in liste}
    textes = [
        f"{part(float(p))} en {niveaux[f, n]} ({LIBELLES_FAMILLES[f]})"
        for f, n, p in zip(siennes["famille"], siennes["niveau"], siennes["part"], strict=True)
    ]
    return phrase("Surface du site : " + " ; ".join(textes) + ".") + hypothese(HORS_ZONE)


def _inondation(partage: Partage) -> None:
    st.html('<h2 class="dh-section">Inondation : services et habitants exposés</h2>')
    attente = st.empty()
    exposition = donnees.exposition(
        partage, lambda etape, fait: _avancer(attente, f"Exposition : {etape}", fait)
    )
    attente.empty()
    if exposition is None:
        st.html(
            message(
                "Ce territoire n’a pas de zones inondables.",
                "Ajoutez [couches] zones_inondables au manifeste (PPR, TRI, AZI).",
                genre="note",
            )
        )
        return
    st.html(_phrase_exposition(exposition))
    gauche, droite = st.columns(2)
    with gauche:
        st.html('<h3 class="dh-h2">Services en zone inondable, et qui en dépend</h3>')
        st.dataframe(
            _table_services(partage, exposition), hide_index=True, height=380, width="stretch"
        )
    with droite:
        st.html('<h3 class="dh-h2">Habitants en zone inondable à qui un service manque</h3>')
        st.dataframe(_table_population(exposition), hide_index=True, height=380, width="stretch")
    st.html(
        hypothese(
            "Un service est supposé fermé quand son lieu est dans "
            f"{exposition.fermeture} ; les rues restent ouvertes. C’est une hypothèse, non une "
            "hauteur d’eau. La population d’un carreau compte au prorata de sa surface inondable. "
            + HORS_ZONE
        )
    )
    with st.container(horizontal=True):
        for nom, table, fichier in (
            ("Services exposés", exposition.services, "services_inondables.csv"),
            ("Habitants dépendants", exposition.dependance, "dependance.csv"),
            ("Population exposée", exposition.population, "population_inondable.csv"),
        ):
            st.download_button(
                f"{nom} (CSV)", ecrire_csv(table), file_name=fichier, mime="text/csv"
            )


def _phrase_exposition(exposition: donnees.Exposition) -> str:
    du_territoire = exposition.dependance[exposition.dependance["zone_type"] == "territoire"]
    if du_territoire.empty:
        return phrase(f"Aucun service n’est dans {exposition.fermeture}.")
    pire = du_territoire.sort_values("population_dependante_hab").iloc[-1]
    habitants = pluriel(round(float(pire["population_dependante_hab"])), "habitant")
    return phrase(
        f"{pluriel(len(du_territoire), 'service')} avec des lieux dans {exposition.fermeture} ; la "
        f"fermeture la plus lourde laisserait {habitants} sans autre lieu à portée."
    )


def _table_services(partage: Partage, exposition: donnees.Exposition) -> pd.DataFrame:
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    lignes = exposition.dependance[exposition.dependance["zone_type"] == "territoire"]
    lignes = lignes.sort_values("population_dependante_hab", ascending=False)
    return pd.DataFrame(
        {
            "service": lignes["service"].map(libelles),
            "lieux exposés": lignes["equipements_inondables"],
            "lieux en tout": lignes["equipements"],
            "habitants dépendants": lignes["population_dependante_hab"].round(),
        }
    )


def _table_population(exposition: donnees.Exposition) -> pd.DataFrame:
    lignes = exposition.population
    lignes = lignes[(lignes["zone_type"] == "territoire") & (lignes["service"] == "")]
    niveaux = {(f, n.code): n.libelle for f, liste in NIVEAUX.items() for n in liste}
    lignes = lignes.sort_values(["famille", "severite"], ascending=[True, False])
    return pd.DataFrame(
        {
            "zone": [
                niveaux[f, n] for f, n in zip(lignes["famille"], lignes["niveau"], strict=True)
            ],
            "palier": lignes["palier"].map(LIBELLES_PALIERS),
            "habitants": lignes["population_zone_hab"].round(),
            "dont un service manque": lignes["population_carence_hab"].round(),
        }
    )


principal(st.session_state["partage"])
