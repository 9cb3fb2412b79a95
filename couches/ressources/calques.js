/* Calques du visualiseur : une image par calque, dont l'opacité et le rang changent sans la
   redemander ; leur légende, et ce que dit le curseur. Tout texte vient des données : il est posé
   comme du texte, jamais lu comme du HTML. */
"use strict";

window.DemiHeureCalques = (function () {
  const RANG = 300; // au-dessus des carreaux, sous les isochrones et les noms
  const TOLERANCE_PX = 7;
  const presents = new Map();
  let carte = null;
  let outils = null;
  let legende = null;
  let consigne = { liste: [], objets: "" };

  function demarrer(laCarte, lesOutils) {
    carte = laCarte;
    outils = lesOutils;
    presents.clear();
    legende = null;
  }

  /* Posée à la première consigne : elle vient sous ce qui occupe déjà le coin de la carte. */
  function poserLegende() {
    const Legende = L.Control.extend({
      onAdd() {
        const bloc = L.DomUtil.create("section", "legende");
        bloc.setAttribute("aria-label", "Légende des couches");
        L.DomEvent.disableClickPropagation(bloc);
        L.DomEvent.disableScrollPropagation(bloc);
        return bloc;
      },
    });
    legende = new Legende({ position: "topright" }).addTo(carte).getContainer();
    legende.hidden = true;
  }

  function appliquer(voulue) {
    consigne = voulue;
    if (!legende) poserLegende();
    const gardes = new Set(voulue.liste.map((c) => c.id));
    for (const [id, couche] of presents) {
      if (!gardes.has(id)) {
        couche.remove();
        presents.delete(id);
      }
    }
    voulue.liste.forEach((calque, rang) => {
      const panneau = outils.creerPanneau(carte, `calque-${calque.id}`, RANG + voulue.liste.length - rang);
      panneau.classList.add("calque");
      let couche = presents.get(calque.id);
      if (!couche) {
        couche = new outils.ImageDeVue(calque.gabarit, {
          pane: `calque-${calque.id}`, opacity: calque.opacite, nom: calque.id,
        });
        presents.set(calque.id, couche);
        couche.addTo(carte);
      }
      couche.changer(calque.gabarit);
      couche.setOpacity(calque.opacite);
    });
    dessinerLegende(voulue.liste.map((c) => c.legende));
  }

  function element(nom, classe, texte) {
    const noeud = document.createElement(nom);
    if (classe) noeud.className = classe;
    if (texte) noeud.textContent = texte;
    return noeud;
  }

  function dessinerLegende(couches) {
    const texte = JSON.stringify(couches);
    if (legende.dataset.contenu === texte) return;
    legende.dataset.contenu = texte;
    legende.hidden = couches.length === 0;
    const ouverte = legende.querySelector("details")?.open ?? true;
    const pli = element("details");
    pli.open = ouverte;
    pli.append(element("summary", "", "Légende"));
    couches.forEach((couche) => {
      const bloc = element("div", "couche");
      bloc.append(element("h3", "", couche.titre));
      const liste = element("ul");
      couche.classes.forEach((classe) => {
        const ligne = element("li");
        ligne.append(signe(couche.nature, classe), element("span", "texte", classe.texte));
        ligne.append(element("span", "compte", classe.compte));
        liste.append(ligne);
      });
      bloc.append(liste);
      if (couche.avertissement) bloc.append(element("p", "avis", couche.avertissement));
      pli.append(bloc);
    });
    const sources = element("details", "couche");
    sources.open = legende.querySelector("details.couche")?.open ?? false;
    sources.append(element("summary", "", "Sources et licences"));
    couches.forEach((couche) => sources.append(element("p", "", `${couche.titre} : ${couche.origine}`)));
    pli.append(sources);
    legende.replaceChildren(pli);
  }

  /* Largeur que la légende prend à la carte, pixels. */
  function largeurLegende() {
    return legende && !legende.hidden ? legende.offsetWidth + 14 : 0;
  }

  function signe(nature, classe) {
    const forme = nature === "point" ? (classe.trame === "rond" ? "creux" : "point")
      : nature === "ligne" ? (classe.trame === "tirets" ? "ligne-tirets" : "trait") : classe.trame;
    const noeud = element("span", `signe ${forme}`);
    noeud.style.setProperty("--c", classe.couleur);
    noeud.setAttribute("aria-hidden", "true");
    return noeud;
  }

  /* Adresse de ce que disent les calques sous le curseur ; vide : aucun calque. */
  function adresseObjets(latlng) {
    if (!consigne.objets) return "";
    const p = carte.latLngToContainerPoint(latlng);
    const metres = carte.distance(latlng, carte.containerPointToLatLng([p.x + TOLERANCE_PX, p.y]));
    return `${consigne.objets}&lon=${latlng.lng.toFixed(5)}&lat=${latlng.lat.toFixed(5)}&rayon=${metres.toFixed(1)}`;
  }

  return { demarrer, appliquer, adresseObjets, largeurLegende };
})();
