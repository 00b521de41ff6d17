-- A row here says that a table holds all that it will hold of a day, even if that is nothing.
CREATE TABLE day_ready (
    table_name VARCHAR(64) NOT NULL,
    day VARCHAR(10) NOT NULL,
    PRIMARY KEY (table_name, day)
);
