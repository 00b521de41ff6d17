-- How a class masters a section, measured at the end of a day: 20 floats of very different scales.
CREATE TABLE class_study (
    class_id BIGINT NOT NULL,
    section_id BIGINT NOT NULL,
    day VARCHAR(10) NOT NULL,
    v1 DOUBLE,
    v2 DOUBLE,
    v3 DOUBLE,
    v4 DOUBLE,
    v5 DOUBLE,
    v6 DOUBLE,
    v7 DOUBLE,
    v8 DOUBLE,
    v9 DOUBLE,
    v10 DOUBLE,
    v11 DOUBLE,
    v12 DOUBLE,
    v13 DOUBLE,
    v14 DOUBLE,
    v15 DOUBLE,
    v16 DOUBLE,
    v17 DOUBLE,
    v18 DOUBLE,
    v19 DOUBLE,
    v20 DOUBLE
);
CREATE INDEX class_study_day ON class_study (day, class_id);
