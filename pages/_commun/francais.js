/* Textes que Streamlit écrit en anglais dans ses composants, remplacés par leur équivalent français :
   ceux qui se voient et ceux que lisent les lecteurs d'écran. Ne touche pas à ce qu'écrivent les
   pages (.stHtml), ni aux noms venus des données : seules des phrases entières et connues changent. */
(function () {
  if (window.DemiHeureFrancais) return;
  window.DemiHeureFrancais = true;
  document.documentElement.lang = "fr";
  const MOTS = {
    "No results": "Aucun résultat",
    "No options": "Rien à choisir",
    "No data": "Aucune donnée",
    "Select all": "Tout choisir",
    "Select...": "Choisir…",
    "Choose options": "Choisir…",
    "Choose an option": "Choisir…",
    "Selectbox options": "Choix proposés",
    "Multiselect options": "Choix proposés",
    "Selected values": "Valeurs choisies",
    "All selected options have been cleared.": "Tous les choix sont effacés.",
    "Clear value": "Effacer",
    "Clear all": "Tout effacer",
    "Clear selection": "Effacer le choix",
    "Press Enter to apply": "Entrée pour valider",
    "Press Enter to submit form": "Entrée pour valider",
    "Skip to main content": "Aller au contenu",
    "Sidebar": "Réglages",
    "Collapse sidebar": "Replier les réglages",
    "Expand sidebar": "Déplier les réglages",
    "Main menu": "Menu",
    "Link to heading": "Lien vers ce titre",
    "Copy to clipboard": "Copier",
    "Copied": "Copié",
    "Close": "Fermer",
    "Cancel": "Annuler",
    "Running...": "Calcul en cours…",
    "Stop": "Arrêter",
    "Stop script": "Arrêter le calcul",
    "Rerun": "Relancer",
    "Try again": "Recommencer",
    "Connecting": "Connexion…",
    "Connecting to Streamlit server": "Connexion au serveur…",
    "Connection error": "Connexion perdue",
    "Connection lost. Please wait for the app to reconnect, then try again.": "Connexion perdue : la page se reconnecte, recommencez ensuite.",
    "Connection timed out.": "Le serveur ne répond pas.",
    "Streamlit server is not responding. Are you connected to the internet?": "Le serveur ne répond pas. Est-il encore lancé sur cette machine ?",
    "Network Error": "Le serveur est injoignable.",
    "Script execution error": "Faute du programme",
    "An error has occurred, please try again.": "Une faute est survenue : recommencez.",
    "Unknown error": "Faute inconnue",
    "Fullscreen": "Plein écran",
    "Close fullscreen": "Quitter le plein écran",
    "Download as CSV": "Télécharger en CSV",
    "Show/hide columns": "Choisir les colonnes",
    "Search": "Chercher",
    "Close Search": "Fermer la recherche",
    "Next Result": "Résultat suivant",
    "Previous Result": "Résultat précédent",
    "Dataframe column menu": "Menu de la colonne",
    "Copy column name": "Copier le nom de la colonne",
    "Sort ascending": "Trier en croissant",
    "Sort descending": "Trier en décroissant",
    "Autosize": "Ajuster la largeur",
    "Pin column": "Épingler la colonne",
    "Unpin column": "Désépingler la colonne",
    "Hide column": "Masquer la colonne",
    "Format": "Format",
    "Statistics": "Résumé",
    "Increment": "Augmenter",
    "Decrement": "Diminuer",
    "Open": "Ouvrir",
    "empty": "vide",
  };
  const MOTIFS = [
    [/^You can only select up to (\d+) options?\. Remove an option first\.$/, (_, n) => `${n} choix au plus : retirez-en un d’abord.`],
    [/^Help for (.*)$/, (_, nom) => `Aide : ${nom}`],
    [/^Remove (.*)$/, (_, nom) => `Retirer ${nom}`],
    [/^open$/, () => "ouvrir"],
  ];
  const ATTRIBUTS = ["aria-label", "title", "placeholder"];

  function dire(texte) {
    const propre = texte.trim();
    if (Object.hasOwn(MOTS, propre)) return texte.replace(propre, MOTS[propre]);
    const trouve = MOTIFS.find(([motif]) => motif.test(propre));
    return trouve ? propre.replace(trouve[0], trouve[1]) : texte;
  }

  function traduireElement(element) {
    for (const nom of ATTRIBUTS) {
      const valeur = element.getAttribute(nom);
      if (valeur && dire(valeur) !== valeur) element.setAttribute(nom, dire(valeur));
    }
    for (const enfant of element.childNodes) {
      if (enfant.nodeType === 3 && dire(enfant.data) !== enfant.data) enfant.data = dire(enfant.data);
    }
  }

  function traduire(racine) {
    const element = racine.nodeType === 1 ? racine : racine.parentElement;
    if (!element || element.closest(".stHtml, style, script")) return;
    traduireElement(element);
    element.querySelectorAll("*").forEach((fils) => {
      if (!fils.closest(".stHtml, style, script, svg")) traduireElement(fils);
    });
  }

  traduire(document.body);
  new MutationObserver((changements) => {
    for (const { type, target, addedNodes } of changements) {
      if (type === "childList") addedNodes.forEach((noeud) => (noeud.nodeType === 1 || noeud.nodeType === 3) && traduire(noeud));
      else if (target.nodeType === 3) traduire(target);
      else if (!target.closest(".stHtml")) traduireElement(target);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTS });
})();
