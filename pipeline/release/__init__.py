"""One release = exported model, id maps and what changes daily: built, checked, published, rolled back as one."""
