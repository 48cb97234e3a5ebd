// Runs before the first paint: the scheme chosen on an earlier visit (see src/theme.ts).
try {
  const choice = localStorage.getItem('point3r-theme');
  if (choice === 'dark' || choice === 'light') {
    document.documentElement.dataset.theme = choice;
  }
} catch {
  // Storage is switched off: the system's scheme it is.
}
