// Carte des zones et leur classement, liés : survoler l'un montre l'autre, cliquer choisit la zone.
// Tout texte venu des données passe par textContent.

const SVG = "http://www.w3.org/2000/svg";

function creer(nom, attributs = {}, texte = null) {
  const element = document.createElement(nom);
  for (const [cle, valeur] of Object.entries(attributs)) element.setAttribute(cle, valeur);
  if (texte !== null) element.textContent = texte;
  return element;
}

function tracer(nom, attributs = {}) {
  const element = document.createElementNS(SVG, nom);
  for (const [cle, valeur] of Object.entries(attributs)) element.setAttribute(cle, valeur);
  return element;
}

function motifs() {
  const definitions = tracer("defs");
  const hachures = tracer("pattern", {
    id: "dh-hachures", width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)",
  });
  hachures.append(
    tracer("rect", { width: 8, height: 8, fill: "#d9d2dc" }),
    tracer("rect", { width: 3, height: 8, fill: "#1d1026" }),
  );
  const points = tracer("pattern", {
    id: "dh-points", width: 9, height: 9, patternUnits: "userSpaceOnUse",
  });
  points.append(
    tracer("rect", { width: 9, height: 9, fill: "#f4f1ea" }),
    tracer("circle", { cx: 4.5, cy: 4.5, r: 1.3, fill: "#8f8a80" }),
  );
  definitions.append(hachures, points);
  return definitions;
}

function remplissage(signe) {
  if (signe.trame === "hachures") return "url(#dh-hachures)";
  if (signe.trame === "points") return "url(#dh-points)";
  return signe.couleur;
}

function dessinerCarte(data) {
  const svg = tracer("svg", {
    viewBox: `0 0 ${data.largeur} ${data.hauteur}`, role: "img", "aria-label": data.titre,
  });
  svg.append(motifs());
  svg.append(tracer("path", { d: data.contour, class: "sol" }));
  if (data.image) {
    svg.append(tracer("image", {
      href: data.image, x: 0, y: 0, width: data.largeur, height: data.hauteur,
      preserveAspectRatio: "none", class: "carreaux",
    }));
  }
  const groupe = tracer("g", { class: "zones-formes" });
  for (const zone of data.zones) {
    const forme = tracer("path", {
      d: zone.d, class: "zone", "data-code": zone.code,
      fill: data.image ? "transparent" : remplissage(data.legende[zone.classe]),
    });
    const bulle = tracer("title");
    bulle.textContent = zone.bulle;
    forme.append(bulle);
    groupe.append(forme);
  }
  svg.append(groupe, tracer("path", { d: data.contour, class: "contour" }));
  svg.append(tracer("g", { class: "cernes" }), tracer("g", { class: "noms" }));
  const e = data.echelle;
  const regle = tracer("g", { class: "echelle", transform: `translate(8 ${data.hauteur - 12})` });
  regle.append(tracer("path", { d: `M0 -5 V0 H${e.largeur} V-5` }));
  const texte = tracer("text", { x: e.largeur + 6, y: 1 });
  texte.textContent = e.texte;
  regle.append(texte);
  svg.append(regle);
  return svg;
}

// Les noms les plus importants d'abord ; un nom qui en toucherait un autre est omis.
function poserNoms(svg, data) {
  const groupe = svg.querySelector(".noms");
  groupe.replaceChildren();
  // Unités du dessin par pixel d'écran : le dessin tient tout entier dans son cadre.
  const facteur = Math.max(
    data.largeur / Math.max(svg.clientWidth, 1), data.hauteur / Math.max(svg.clientHeight, 1),
  );
  const corps = (data.projecteur ? 18 : 13.5) * facteur;
  const marge = 7 * facteur;
  // Le cadre peut être plus large que le dessin : un nom a le droit d'y déborder.
  const bord = Math.max((svg.clientWidth * facteur - data.largeur) / 2, 0);
  svg.querySelector(".echelle text").setAttribute("font-size", corps * 0.9);
  const boites = [];
  for (const zone of [...data.zones].sort((a, b) => b.importance - a.importance)) {
    const texte = tracer("text", { x: zone.x, y: zone.y, "font-size": corps });
    texte.textContent = zone.nom;
    groupe.append(texte);
    const b = texte.getBBox();
    const libre = boites.every(
      (a) => b.x > a.x + a.width + marge || b.x + b.width + marge < a.x
        || b.y > a.y + a.height + marge || b.y + b.height + marge < a.y,
    );
    const dedans = b.x >= -bord && b.x + b.width <= data.largeur + bord;
    if (libre && dedans) boites.push(b);
    else texte.remove();
  }
}

function genre(colonne) {
  return `${colonne.nombre ? "n" : ""} ${colonne.facultative ? "facultative" : ""}`.trim();
}

function composerTable(data) {
  const table = creer("table");
  const entete = creer("tr");
  entete.append(creer("th", { scope: "col", class: "rang" }, ""));
  for (const colonne of data.colonnes) {
    entete.append(creer("th", { scope: "col", class: genre(colonne) }, colonne.titre));
  }
  const tete = creer("thead");
  tete.append(entete);
  const corps = creer("tbody");
  data.lignes.forEach((ligne, rang) => {
    const tr = creer("tr", { "data-code": ligne.code, tabindex: 0 });
    tr.append(creer("td", { class: "rang" }, String(rang + 1)));
    ligne.cellules.forEach((valeur, i) => {
      const colonne = data.colonnes[i];
      const cellule = i === 0 ? creer("th", { scope: "row" }) : creer("td", { class: genre(colonne) });
      if (colonne.barre && ligne.barre !== null) {
        const barre = creer("span", { class: "barre" });
        const plein = creer("span");
        plein.style.width = `${100 * ligne.barre}%`;
        plein.style.background = data.couleur_barre;
        barre.append(plein);
        cellule.append(barre);
      }
      cellule.append(creer("span", {}, valeur));
      tr.append(cellule);
    });
    corps.append(tr);
  });
  table.append(tete, corps);
  return table;
}

function composerLegende(data) {
  const bloc = creer("div", { class: "legende" });
  bloc.append(creer("span", { class: "titre" }, data.legende_titre));
  // Une trame (inaccessible, sans donnée) n'est expliquée que si la carte la montre.
  const vues = new Set(data.zones.map((zone) => zone.classe));
  for (const [rang, entree] of data.legende.entries()) {
    if (entree.trame !== "plein" && !data.image && !vues.has(rang)) continue;
    const item = creer("span", { class: "entree" });
    const signe = creer("span", { class: `signe ${entree.trame}`, "aria-hidden": "true" });
    signe.style.setProperty("--c", entree.couleur);
    item.append(signe, creer("span", {}, entree.texte));
    bloc.append(item);
  }
  return bloc;
}

function marquer(racine, classe, code) {
  for (const ligne of racine.querySelectorAll("tr[data-code]")) {
    ligne.classList.toggle(classe, ligne.dataset.code === code);
    if (classe === "choisie") ligne.setAttribute("aria-selected", String(ligne.dataset.code === code));
  }
  const cernes = racine.querySelector(".cernes");
  for (const ancien of cernes.querySelectorAll(`.${classe}`)) ancien.remove();
  const forme = [...racine.querySelectorAll("path.zone")].find((f) => f.dataset.code === code);
  if (forme) cernes.append(tracer("path", { d: forme.getAttribute("d"), class: classe }));
}

export default function ({ data, parentElement, setTriggerValue }) {
  const racine = parentElement.querySelector(".dh-zones");
  const ancienne = racine.querySelector(".table");
  const defilement = ancienne && racine.dataset.vue === data.vue ? ancienne.scrollTop : null;
  racine.dataset.vue = data.vue;
  racine.classList.toggle("projecteur", data.projecteur);
  const carte = creer("div", { class: "carte" });
  const svg = dessinerCarte(data);
  carte.append(svg, composerLegende(data));
  const cadre = creer("div", {
    class: "table", tabindex: 0, role: "region", "aria-label": "Classement des zones",
  });
  cadre.append(composerTable(data));
  racine.replaceChildren(carte, cadre);
  marquer(racine, "choisie", data.choisie);
  poserNoms(svg, data);
  document.fonts.ready.then(() => svg.isConnected && poserNoms(svg, data));

  const ligne = racine.querySelector("tr.choisie");
  if (defilement !== null) cadre.scrollTop = defilement;
  if (ligne) {
    const haut = ligne.offsetTop - ligne.offsetHeight * 2;
    if (haut < cadre.scrollTop || ligne.offsetTop > cadre.scrollTop + cadre.clientHeight - ligne.offsetHeight) {
      cadre.scrollTop = Math.max(haut, 0);
    }
  }
  for (const element of racine.querySelectorAll("[data-code]")) {
    const code = element.dataset.code;
    const choisir = () => {
      marquer(racine, "choisie", code);
      setTriggerValue("choix", code);
    };
    element.addEventListener("click", choisir);
    element.addEventListener("mouseenter", () => marquer(racine, "survolee", code));
    element.addEventListener("mouseleave", () => marquer(racine, "survolee", null));
    element.addEventListener("keydown", (evenement) => {
      if (evenement.key === "Enter" || evenement.key === " ") {
        evenement.preventDefault();
        choisir();
      }
    });
  }
  const suivi = new ResizeObserver(() => svg.isConnected && poserNoms(svg, data));
  suivi.observe(svg);
  return () => suivi.disconnect();
}
