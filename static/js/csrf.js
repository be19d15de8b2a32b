// The token that every request that changes something has to carry.
export const csrfToken = document.querySelector('meta[name="csrf-token"]').content;
