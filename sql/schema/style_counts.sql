-- How often a class was set each style on a day (28 styles are in use); styles not set have no row.
CREATE TABLE style_counts (
    day VARCHAR(10) NOT NULL,
    teacher_id BIGINT NOT NULL,
    class_id BIGINT NOT NULL,
    style BIGINT NOT NULL,
    cnt BIGINT NOT NULL
);
CREATE INDEX style_counts_day ON style_counts (day, class_id);
