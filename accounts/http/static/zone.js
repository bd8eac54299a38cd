// Chooses the browser's own time zone in a form that has none chosen yet.

const field = document.getElementById("field-time_zone");
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (field && !field.value && [...field.options].some((option) => option.value === timeZone)) {
  field.value = timeZone;
}
