// Chooses the browser's own time zone in a form that has none chosen yet.

const field = document.getElementById("field-time_zone");
if (field && !field.value) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
}
